package import Core
package import Protocol
package import Sealing
package import State
package import System

/// The master's keys of the group and its decisions, in the file `vault` of the state folder: each
/// is on the disk before anybody is told. Whoever can read it can read the group.
package final class KeyVault: Sendable {
  /// Generations that are kept: only the latest is handed out.
  private static let keptKeys = 4

  private struct Contents {
    var keys: [GroupKey] = []
    /// The latest about each device, whatever its number was.
    var decisions: [DeviceKey: MemberRecord] = [:]
    /// When the latest key was made, seconds since 1970.
    var madeAt: Int64 = 0

    /// Returns: whether it is news.
    @discardableResult
    mutating func note(_ decision: MemberRecord) -> Bool {
      guard let key = decision.key, decisions[key] != decision else { return false }
      decisions[key] = decision
      return true
    }

    var file: VaultFile {
      VaultFile(
        keys: keys.suffix(KeyVault.keptKeys),
        decisions: decisions.values.sorted { $0.publicID < $1.publicID }, madeAt: madeAt)
    }
  }

  /// So long is a key in use.
  private static let lifetime: Int64 = 7 * 86_400

  private let path: String
  private let contents: Locked<Contents>

  /// Reads the vault at `path`, or begins one with a first key. Throws where it cannot be read or
  /// written; one that is damaged is left as it is.
  /// `now`: seconds since 1970.
  package init(path: String, now: Int64 = WallClock.seconds) throws(StateFault) {
    self.path = path
    var contents = Contents()
    if let kept = try VaultFile.read(path) {
      contents.keys = kept.keys
      contents.madeAt = kept.madeAt
      for decision in kept.decisions { contents.note(decision) }
    }
    if contents.keys.isEmpty { contents.keys = [GroupKey(newGeneration: 1)] }
    // It is not known, or the clock was set back since: at the latest a whole life from now.
    if contents.madeAt <= 0 || contents.madeAt > now { contents.madeAt = now }
    do throws(SystemError) { try contents.file.write(path) } catch { throw StateFault(error) }
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

  /// Whether the latest key has been in use for a week, or was made by a clock that was ahead by
  /// more.
  package func isOld(now: Int64 = WallClock.seconds) -> Bool {
    contents.withLock { abs(now - $0.madeAt) >= Self.lifetime }
  }

  /// The key of `generation`; made, and durable on return, where there is none. Any thread.
  package func key(
    _ generation: UInt32, now: Int64 = WallClock.seconds
  ) throws(SystemError) -> GroupKey {
    func known() -> GroupKey? {
      contents.withLock { $0.keys.last { $0.generation == generation } }
    }
    if let known = known() { return known }
    let made = GroupKey(newGeneration: generation)
    try change { contents in
      // Somebody else may have made it meanwhile.
      if contents.keys.contains(where: { $0.generation == generation }) { return false }
      contents.keys.append(made)
      contents.madeAt = now
      return true
    }
    return known() ?? made
  }

  /// Keeps a decision; durable on return. Any thread.
  package func keep(_ decision: MemberRecord) throws(SystemError) {
    try change { $0.note(decision) }
  }

  /// Changes the file, then what is in memory: where the disk does not take it, nothing is changed.
  /// `body` says whether it changed anything.
  private func change(_ body: (inout Contents) -> Bool) throws(SystemError) {
    let failure = contents.withLock { contents -> SystemError? in
      var changed = contents
      guard body(&changed) else { return nil }
      // Held while the disk works: two changes at once would each write without the other.
      do throws(SystemError) { try changed.file.write(path) } catch { return error }
      contents = changed
      return nil
    }
    if let failure { throw failure }
  }
}
