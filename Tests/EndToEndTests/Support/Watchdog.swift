import CLinux
import Glibc
import System

/// Ends a test that hangs: a call into a mount that nobody answers cannot be interrupted by the
/// test itself, but it returns when the daemon behind the mount is killed.
final class Watchdog: Sendable {
  private struct State {
    var watched: [UInt64: RunningProcess] = [:]
    var next: UInt64 = 0
    var isStopped = false
    var hasBitten = false
  }

  private let state: Monitor<State>
  private let thread: JoinableThread

  /// Begins to count.
  init(limit: Duration, folder: String) throws(SystemError) {
    let state = Monitor(State())
    self.state = state
    thread = try Thread.start(name: "watchdog") {
      if state.wait(timeout: limit, for: { $0.isStopped ? true : nil }) != nil { return }
      let watched = state.withLock { state in
        state.hasBitten = true
        return Array(state.watched.values)
      }
      for process in watched { process.kill(SIGKILL) }
      Watchdog.killAll(naming: folder)
      for mountpoint in MountPoint.all(below: folder) { MountPoint.detach(mountpoint) }
    }
  }

  /// Whether the time was over.
  var hasBitten: Bool { state.withLock { $0.hasBitten } }

  /// Adds a process to those that are killed.
  func watch(_ process: RunningProcess) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.watched[state.next] = process
      return state.next
    }
  }

  /// Takes it off again.
  func unwatch(_ token: UInt64) { state.withLock { $0.watched[token] = nil } }

  /// Ends the counting.
  func stop() {
    state.update { $0.isStopped = true }
    thread.join()
  }

  /// Kills the processes whose command line names a path below `folder`.
  static func killAll(naming folder: String) {
    for pid in processes(naming: folder) { _ = kill(pid, SIGKILL) }
  }

  /// The processes whose command line names a path below `folder`, zombies not among them.
  static func processes(naming folder: String) -> [pid_t] {
    let wanted = Array((folder + "/").utf8)
    return ((try? Files.names(in: "/proc")) ?? []).compactMap { name in
      guard let pid = pid_t(String(decoding: name, as: UTF8.self)), pid != getpid(),
        let line = try? File.readAll("/proc/\(pid)/cmdline", limit: 1 << 20)
      else { return nil }
      return line.contains(wanted) ? pid : nil
    }
  }
}
