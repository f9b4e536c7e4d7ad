package import Core
import Protocol
import Sealing
package import System

/// The master's keys of the group and its decisions, in the file `vault` of the state folder: each is on the
/// disk before anybody is told. Whoever can read it can read the group.
package final class KeyVault: Sendable {
  private enum Kind {
    static let key: UInt8 = 1
    static let decision: UInt8 = 2
  }

  /// Generations that are kept: only the latest is handed out.
  private static let keptKeys = 4

  private struct Contents {
    var keys: [GroupKey] = []
    /// The latest about each device, whatever its number was.
    var decisions: [DeviceKey: MemberRecord] = [:]

    mutating func note(_ decision: MemberRecord) {
      if let key = decision.key { decisions[key] = decision }
    }
  }

  private let log: RecordLog
  private let contents: Locked<Contents>

  /// Reads the vault at `path`, or begins one with a first key. Throws where it cannot be read or written.
  package init(path: String) throws(SystemError) {
    var contents = Contents()
    for record in try RecordLog.load(path) ?? [] { Self.restore(record, into: &contents) }
    if contents.keys.isEmpty { contents.keys = [GroupKey(newGeneration: 1)] }
    contents.keys = contents.keys.suffix(Self.keptKeys)
    let decisions = contents.decisions.values.sorted { $0.publicID < $1.publicID }
    log = try RecordLog(
      path: path,
      replacingWith: contents.keys.map(Self.record) + decisions.map(Self.record))
    self.contents = Locked(contents)
  }

  /// What the master needs to know of it.
  package var summary: MasterVault {
    contents.withLock { contents in
      MasterVault(
        generation: contents.keys.last?.generation ?? 1,
        decisions: contents.decisions.values.sorted { $0.publicID < $1.publicID })
    }
  }

  /// The key of `generation`; made, and durable on return, where there is none. Any thread.
  func key(_ generation: UInt32) throws(SystemError) -> GroupKey {
    if let known = contents.withLock({ $0.keys.last { $0.generation == generation } }) {
      return known
    }
    let made = GroupKey(newGeneration: generation)
    try log.append(Self.record(made))
    try log.synchronise()
    contents.withLock { $0.keys.append(made) }
    return made
  }

  /// Keeps a decision; durable on return. Any thread.
  func keep(_ decision: MemberRecord) throws(SystemError) {
    try log.append(Self.record(decision))
    try log.synchronise()
    contents.withLock { $0.note(decision) }
  }

  private static func record(_ key: GroupKey) -> [UInt8] {
    var writer = ByteWriter(reserving: 48)
    writer.put(Kind.key)
    writer.put(key.generation)
    writer.putFixed(key.secretBytes, count: GroupKey.secretLength)
    return writer.bytes
  }

  private static func record(_ decision: MemberRecord) -> [UInt8] {
    var writer = ByteWriter(reserving: 160)
    writer.put(Kind.decision)
    writer.put(decision)
    return writer.bytes
  }

  /// A record that is not understood is passed over: the rest counts.
  private static func restore(_ record: [UInt8], into contents: inout Contents) {
    var reader = ByteReader(record)
    switch try? reader.uint8() {
    case Kind.key:
      if let generation = try? reader.uint32(),
        let secret = try? reader.fixed(GroupKey.secretLength),
        let key = GroupKey(generation: generation, secret: secret)
      {
        contents.keys.append(key)
      }
    case Kind.decision:
      if let decision = try? reader.memberRecord() {
        contents.note(decision)
      }
    default: break
    }
  }
}
