/// What a list was made from: SHA-256 over every change of its epoch up to one place in the order.
/// Two lists with the same history had the same changes, in the same order; two that differ
/// anywhere never agree again.
package struct History: Hashable, Sendable, CustomStringConvertible {
  // Four words, not an array: 65,536 of them are kept.
  fileprivate let a, b, c, d: UInt64

  /// Bytes of a history on the wire.
  package static let length = 32

  /// The history before the first change of an epoch.
  package static let none = History(a: 0, b: 0, c: 0, d: 0)

  fileprivate init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }

  /// Requires: 32 bytes.
  package init(_ bytes: [UInt8]) {
    precondition(bytes.count == Self.length, "a history has its one length")
    func word(_ index: Int) -> UInt64 {
      bytes[(8 * index)..<(8 * index + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(a: word(0), b: word(1), c: word(2), d: word(3))
  }

  /// As on the wire.
  package var bytes: [UInt8] {
    [a, b, c, d].flatMap { word in
      (0..<8 as Range<UInt64>).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }

  /// The first bytes, for the log.
  package var description: String {
    bytes.prefix(6).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}

/// The hash that histories are made with: SHA-256 in the programs. `Sealing` has it, since this
/// module and `Core` import nothing that could.
package typealias HistoryHash = @Sendable ([UInt8]) -> History

/// A place in the order that somebody has seen, with the history up to there.
package struct ListMark: Equatable, Sendable {
  package let seq: UInt64
  package let history: History

  package init(seq: UInt64, history: History) {
    self.seq = seq
    self.history = history
  }

  /// Nothing seen yet.
  package static let none = ListMark(seq: 0, history: .none)
  /// Bytes of a mark on the wire.
  package static let length = 8 + History.length
}

extension ByteWriter {
  package mutating func put(_ history: History) {
    for word in [history.a, history.b, history.c, history.d] { put(word) }
  }

  package mutating func put(_ mark: ListMark) {
    put(mark.seq)
    put(mark.history)
  }
}

extension ByteReader {
  package mutating func history() throws(DecodingFault) -> History {
    History(a: try uint64(), b: try uint64(), c: try uint64(), d: try uint64())
  }

  package mutating func listMark() throws(DecodingFault) -> ListMark {
    ListMark(seq: try uint64(), history: try history())
  }
}
