/// The versions of the protocol that a program speaks, all from the lowest to the highest.
package struct ProtocolVersions: Equatable, Sendable, CustomStringConvertible {
  package let lowest: UInt16
  package let highest: UInt16

  /// nil where there is none between the two.
  package init?(lowest: UInt16, highest: UInt16) {
    guard lowest > 0, lowest <= highest else { return nil }
    self.lowest = lowest
    self.highest = highest
  }

  private init(only version: UInt16) { (lowest, highest) = (version, version) }

  /// Of this program.
  package static let spoken = ProtocolVersions(only: 2)

  /// Of whoever never said: the first that was finished.
  package static let first = ProtocolVersions(only: 2)

  package func contains(_ version: UInt16) -> Bool { (lowest...highest).contains(version) }

  /// The highest that both speak; nil where there is none.
  package func common(with other: ProtocolVersions) -> UInt16? {
    let best = min(highest, other.highest)
    return best >= max(lowest, other.lowest) ? best : nil
  }

  package var description: String {
    lowest == highest ? "version \(lowest)" : "versions \(lowest) to \(highest)"
  }
}

extension ByteWriter {
  package mutating func put(_ versions: ProtocolVersions) {
    put(versions.lowest)
    put(versions.highest)
  }
}

extension ByteReader {
  package mutating func protocolVersions() throws(DecodingFault) -> ProtocolVersions {
    guard let versions = ProtocolVersions(lowest: try uint16(), highest: try uint16()) else {
      throw .invalid("protocol versions")
    }
    return versions
  }
}
