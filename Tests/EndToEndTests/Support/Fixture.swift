import CLinux
import Glibc
import System
import Testing

/// What one test owns: a folder of its own, the processes that it started, and the duty to leave
/// nothing behind. Used by the test's thread; only the watchdog looks in from another.
final class Fixture: Sendable {
  /// The test's own folder, of a random name.
  let folder: String
  private let state: Locked<State>
  private let watchdog: Watchdog

  private struct State {
    var cleanUps: [@Sendable () -> Void] = []
    var watched: [RunningProcess] = []
    var names = 0
    var hasLines: Bool
  }

  fileprivate init(limit: Duration) throws {
    let base = Environment.get("TMPDIR") ?? "/tmp"
    folder = base + "/fsharefs-test-" + String(SecureRandom.uint64(), radix: 16)
    try File.makeDirectories(folder, mode: 0o755)
    // What chance and malice do to the way through the hub is seen on that way alone.
    let isAdverse = Test.current.map { "\($0.id)".contains("\(Adversity.self)") } ?? false
    state = Locked(State(hasLines: !isAdverse))
    watchdog = try Watchdog(limit: limit, folder: folder)
  }

  /// A path in the test's folder that was not given before.
  func newPath(_ kind: String) -> String {
    state.withLock { state in
      state.names += 1
      return "\(folder)/\(kind)-\(state.names)"
    }
  }

  /// A new, empty folder.
  func newFolder(_ kind: String) throws -> String {
    let path = newPath(kind)
    try File.makeDirectories(path, mode: 0o755)
    return path
  }

  /// Whether members that are started now read from each other by lines, if they are not told
  /// otherwise.
  var hasLines: Bool {
    get { state.withLock { $0.hasLines } }
    set { state.withLock { $0.hasLines = newValue } }
  }

  /// Says what to do at the end; the last said is done first.
  func atEnd(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.cleanUps.append(body) }
  }

  /// Has a process killed when the test takes too long; answers a token for `unwatch`.
  func watch(_ process: RunningProcess) -> UInt64 {
    state.withLock { $0.watched.append(process) }
    return watchdog.watch(process)
  }

  /// Ends `watch`.
  func unwatch(_ token: UInt64) { watchdog.unwatch(token) }

  /// The ends of all logs, for the report of a failure.
  var logs: String {
    var text = ""
    for name in (try? Files.names(in: folder)) ?? [] {
      let name = String(decoding: name, as: UTF8.self)
      guard name.hasSuffix(".log"),
        let bytes = try? File.readAll("\(folder)/\(name)", limit: 8 << 20)
      else { continue }
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(25)
      text += "\n--- \(name)\n" + lines.joined(separator: "\n")
    }
    return text
  }

  /// Whether the watchdog had to end the test.
  var wasTooSlow: Bool { watchdog.hasBitten }

  fileprivate func end(failed: Bool) {
    while let cleanUp = state.withLock({ $0.cleanUps.popLast() }) { cleanUp() }
    watchdog.stop()
    reportFaults()
    // A daemon that went into the background is known by the folder that it was given.
    Watchdog.killAll(naming: folder)
    for mountpoint in MountPoint.all(below: folder) { MountPoint.detach(mountpoint) }
    if failed || Environment.get("FSHAREFS_KEEP") == "1" {
      keepLogs()
    } else {
      try? Files.removeTree(folder)
    }
  }

  /// No program of ours ends by a fault of its own, also where nobody waits for its end.
  private func reportFaults() {
    for process in state.withLock({ $0.watched }) {
      guard let fault = process.fault else { continue }
      Issue.record("process \(process.pid) ended by signal \(fault), which nobody sent")
    }
  }

  private func keepLogs() {
    for name in (try? Files.names(in: folder)) ?? [] {
      let name = String(decoding: name, as: UTF8.self)
      if !name.hasSuffix(".log") { try? Files.removeTree("\(folder)/\(name)") }
    }
  }
}

/// A test's failure, with what the daemons had to say.
struct FailureWithLogs: Error, CustomStringConvertible {
  let description: String
}

/// Runs a test in a fixture of its own and cleans up whatever happens.
func withFixture(
  within limit: Duration = .seconds(150), _ body: (Fixture) throws -> Void
) throws {
  let fixture = try Fixture(limit: limit)
  do {
    try body(fixture)
    fixture.end(failed: false)
  } catch {
    let slow = fixture.wasTooSlow ? " [ended by the watchdog after \(limit)]" : ""
    let failure = FailureWithLogs(
      description: "\(error)\(slow)\nlogs kept in \(fixture.folder)\(fixture.logs)")
    fixture.end(failed: true)
    throw failure
  }
}
