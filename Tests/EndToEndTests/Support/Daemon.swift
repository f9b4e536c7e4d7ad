import Control
import Glibc
import System

/// One `fsharefs` with its folders; it may be stopped and started again on them.
final class Daemon {
  let name: String
  /// The directory that it mounts on.
  let mount: String
  let state: String
  let own: String
  let log: String
  private let fixture: Fixture
  private let clock: MovableClock?
  private let watched = Locked<(process: RunningProcess, token: UInt64)?>(nil)

  init(
    _ name: String, _ fixture: Fixture, own: String? = nil, state: String? = nil,
    clock: MovableClock? = nil
  ) throws {
    self.name = name
    self.fixture = fixture
    self.clock = clock
    mount = try fixture.newFolder("mount-\(name)")
    self.state = state ?? fixture.newPath("state-\(name)")
    self.own = own ?? fixture.newPath("own-\(name)")
    log = fixture.newPath(name) + ".log"
    let watched = watched
    let mount = mount
    fixture.atEnd {
      guard let process = watched.withLock({ $0?.process }) else { return }
      Daemon.end(process, mount)
    }
  }

  /// The path of something in its mount.
  func path(_ relative: String) -> String { "\(mount)/\(relative)" }

  /// Starts `fsharefs` with its folders and these words beside them; returns at once. `through`:
  /// words that run it.
  func start(_ words: [String], through: [String] = []) throws {
    let fsharefs = [Programs.fsharefs, "-f", "--name", name, "--state", state, "--own", own]
    let lines = fixture.hasLines || words.contains("--direct") ? [] : ["--direct", "off"]
    let all = through + (clock?.words ?? []) + fsharefs + lines + words + [mount]
    let process = try RunningProcess(all, output: log, errors: log)
    let token = fixture.watch(process)
    watched.withLock { $0 = (process, token) }
  }

  /// The process that was started last.
  var process: RunningProcess {
    guard let process = watched.withLock({ $0?.process }) else {
      preconditionFailure("a daemon is asked for its process after it was started")
    }
    return process
  }

  /// Ends it as a crash does, and takes away what the crash leaves mounted.
  func crash() throws {
    process.kill(SIGKILL)
    MountPoint.detach(mount)
    _ = try process.wait()
  }

  /// Asks it to leave by SIGTERM, and waits for its end.
  func leave() throws -> Ending {
    process.kill(SIGTERM)
    return try process.wait()
  }

  /// What `fsharectl status` says.
  func status() throws -> StatusReport { try ask("status", as: StatusReport.self) }

  /// What `fsharectl members` says.
  func members() throws -> [MemberReport] { try ask("members", as: MembersReport.self).members }

  /// What `fsharectl shares` says.
  func shares() throws -> [SharesReport.Share] { try ask("shares", as: SharesReport.self).shares }

  /// The public id; waits until there is one.
  func publicID() throws -> UInt32 {
    try eventuallySome("\(name) has a public id") { try status().publicID }
  }

  /// Waits until it is mounted and in a state.
  func waits(for state: StatusReport.State) throws {
    try eventually("\(name) is \(state)") {
      if let ended = process.ended {
        throw NeverHappened(description: "\(name) ended with \(ended)")
      }
      let status = try status()
      guard status.state == state else {
        throw NeverHappened(description: "it is \(status.state)")
      }
      return MountPoint.isLive(mount)
    }
  }

  /// Waits until it lists as many entries.
  func lists(_ entries: Int) throws {
    try eventually("\(name) lists \(entries) entries") {
      let seen = try status().entries
      if seen != entries { throw NeverHappened(description: "it lists \(seen)") }
      return true
    }
  }

  private func ask<Report: Decodable>(_ command: String, as type: Report.Type) throws -> Report {
    let response = try ControlClient.call(
      stateFolder: state, request: ControlRequest(command: command), timeout: .seconds(10))
    guard let result = response.result else {
      throw NeverHappened(description: "\(command) was refused: \(response.message)")
    }
    return try result.decode(as: type)
  }

  private static func end(_ process: RunningProcess, _ mount: String) {
    // One that is stopped hears SIGTERM only when it goes on.
    process.kill(SIGCONT)
    process.kill(SIGTERM)
    if (try? process.wait(within: .seconds(5))) == nil {
      process.kill(SIGKILL)
      MountPoint.detach(mount)
      _ = try? process.wait(within: .seconds(5))
    }
    MountPoint.detach(mount)
  }
}
