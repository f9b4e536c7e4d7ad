import Protocol
import State
import System

/// Where staged files belong that are complete: one log in the staging folder, so that a start
/// knows what to move into place and what was cut off.
///
/// A log, not a note beside each file: one write for each file that is copied in, where a note is
/// also a name that is made and one that is removed.
final class StagedTargets: Sendable {
  private struct State {
    /// Made when the first file is noted, if it could not be made before.
    var log: RecordLog?
    /// Whether what the last process left is known.
    var hasBegun = false
    /// Of what lies in the staging folder; nil: it belongs somewhere, and nobody knows where.
    var targets: [[UInt8]: SharePath?] = [:]
  }

  /// What the last process left.
  struct Found {
    var targets: [[UInt8]: SharePath?] = [:]
    /// Whether others may have been complete too.
    var isDamaged = false
  }

  /// A log this long is made anew with what still lies in the staging folder.
  private static let worthRewriting = 4 << 20
  /// Bytes of the name of a staged file at most, in a record.
  private static let nameLimit = 64

  let path: String
  private let state = Locked(State())

  /// `path`: of the log. Nothing is read or written yet.
  init(path: String) { self.path = path }

  /// Reads what the last process left. What is damaged is kept under another name.
  func load() -> Found {
    var found = Found()
    do throws(StateFault) {
      guard let content = try RecordLog.load(.targets, path) else { return found }
      if case .damaged = content.end { found.isDamaged = true }
      for record in content.records {
        // Without a name: the log that this one follows was damaged, and nobody has looked since.
        if let (name, target) = Self.decode(record), !name.isEmpty {
          found.targets[name] = target
        } else {
          found.isDamaged = true
        }
      }
    } catch {
      found.isDamaged = true
    }
    if found.isDamaged { _ = try? StateFile.setAside(path) }
    return found
  }

  /// Begins to write, with what the last process left and could not be moved into place.
  func begin(with targets: [[UInt8]: SharePath?]) throws(SystemError) {
    try update { state throws(SystemError) in
      state.targets = targets
      state.hasBegun = true
      state.log = try log(state)
    }
  }

  /// Nobody could look at what the last process left: it is kept for the next start.
  private func takeOver(_ state: inout State) {
    let found = load()
    state.targets.merge(found.targets) { own, _ in own }
    if found.isDamaged { state.targets.updateValue(nil, forKey: []) }
    state.hasBegun = true
  }

  /// Notes that a staged file is complete and where it belongs: one write to the page cache.
  func note(_ name: [UInt8], _ target: SharePath) throws(SystemError) {
    try update { state throws(SystemError) in
      if state.log == nil, !state.hasBegun { takeOver(&state) }
      let before = state.targets.updateValue(target, forKey: name)
      do throws(SystemError) {
        if let log = state.log {
          try log.append(Self.encode(name, target))
        } else {
          state.log = try log(state)
        }
      } catch {
        state.targets[name] = before
        throw error
      }
      if let log = state.log, log.isWorthRewriting {
        // Where that fails it is tried again later, when there is more.
        try? log.rewrite(with: Self.records(state))
      }
    }
  }

  /// A staged file is gone from the staging folder.
  func forget(_ name: [UInt8]) { _ = state.withLock { $0.targets.removeValue(forKey: name) } }

  private func update(
    _ body: (inout State) throws(SystemError) -> Void
  ) throws(SystemError) {
    let failure = state.withLock { state -> SystemError? in
      do throws(SystemError) {
        try body(&state)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  private func log(_ state: State) throws(SystemError) -> RecordLog {
    try RecordLog(
      .targets, path, replacingWith: Self.records(state), worthRewriting: Self.worthRewriting)
  }

  private static func records(_ state: State) -> [[UInt8]] {
    state.targets.map { encode($0.key, $0.value) }
  }

  private static func encode(_ name: [UInt8], _ target: SharePath?) -> [UInt8] {
    var writer = ByteWriter()
    writer.putBytes16(name)
    writer.putBytes16(target?.bytes ?? [])
    return writer.bytes
  }

  private static func decode(_ record: [UInt8]) -> (name: [UInt8], target: SharePath?)? {
    var reader = ByteReader(record)
    do {
      let name = try reader.bytes16(atMost: nameLimit)
      let target = try reader.bytes16(atMost: Limits.path)
      try reader.finish()
      return (name, target.isEmpty ? nil : try SharePath(target))
    } catch { return nil }
  }
}
