package import Protocol
package import Sealing
package import System

/// The content of the file `vault`: the master's keys of the group, and what it decided about whom.
package struct VaultFile: Sendable {
  /// The latest last.
  package var keys: [GroupKey]
  package var decisions: [MemberRecord]
  /// When the latest key was made, seconds since 1970; 0: not known.
  package var madeAt: Int64

  /// A content.
  package init(keys: [GroupKey], decisions: [MemberRecord], madeAt: Int64 = 0) {
    self.keys = keys
    self.decisions = decisions
    self.madeAt = madeAt
  }

  /// Decisions at most: what says more is garbled.
  private static let limit = 1 << 20
  private static let decisionSize = 9

  /// What the vault at `path` holds; nil where there is none.
  package static func read(_ path: String) throws(StateFault) -> VaultFile? {
    try Privacy.check(ifThere: path)
    switch try StateFile.whole(.vault, path) {
    case nil: return nil
    case .body(let body):
      do throws(DecodingFault) { return try VaultFile(decoding: body) } catch {
        throw .damaged(.vault, path, "\(error)")
      }
    case .older: return try older(path)
    }
  }

  /// Replaces the vault; durable on return.
  package func write(_ path: String) throws(SystemError) {
    try StateFile.write(.vault, path, encoded)
  }

  private init(decoding bytes: [UInt8]) throws(DecodingFault) {
    var reader = ByteReader(bytes)
    keys = []
    for _ in 0..<(try reader.count(of: 4 + GroupKey.secretLength, atMost: Self.limit)) {
      keys.append(try reader.groupKey())
    }
    decisions = []
    for _ in 0..<(try reader.count(of: Self.decisionSize, atMost: Self.limit)) {
      decisions.append(try reader.memberRecord())
    }
    // Vaults of before do not say it.
    madeAt = reader.remaining == 0 ? 0 : Int64(bitPattern: try reader.uint64())
    try reader.finish()
  }

  private var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 64 * keys.count + 160 * decisions.count)
    writer.put(UInt32(keys.count))
    for key in keys {
      writer.put(key.generation)
      writer.putFixed(key.secretBytes, count: GroupKey.secretLength)
    }
    writer.put(UInt32(decisions.count))
    for decision in decisions { writer.put(decision) }
    writer.put(UInt64(bitPattern: madeAt))
    return writer.bytes
  }

  /// Format 1 was a log of keys and decisions.
  private static func older(_ path: String) throws(StateFault) -> VaultFile? {
    guard let log = try RecordLog.load(.vault, path) else { return nil }
    if case .damaged(let position) = log.end {
      throw .damaged(.vault, path, "at byte \(position)")
    }
    var content = VaultFile(keys: [], decisions: [])
    for record in log.records {
      var reader = ByteReader(record)
      do throws(DecodingFault) {
        switch try reader.uint8() {
        case 1: content.keys.append(try reader.groupKey())
        case 2: content.decisions.append(try reader.memberRecord(isDated: false))
        default: throw .invalid("record")
        }
      } catch { throw .damaged(.vault, path, "\(error)") }
    }
    return content
  }
}

extension ByteReader {
  fileprivate mutating func groupKey() throws(DecodingFault) -> GroupKey {
    let generation = try uint32()
    guard let key = GroupKey(generation: generation, secret: try fixed(GroupKey.secretLength))
    else { throw .invalid("key") }
    return key
  }
}
