import CLinux
import Glibc
import System

/// How a process ended.
enum Ending: Equatable, CustomStringConvertible {
  case exit(Int32)
  case signal(Int32)

  var description: String {
    switch self {
    case .exit(let code): "exit code \(code)"
    case .signal(let number): "signal \(number)"
    }
  }
}

/// A program that a test started. Used by one thread, but `kill` by any.
final class RunningProcess: Sendable {
  /// The process's id.
  let pid: pid_t
  private let ending = Locked<Ending?>(nil)
  /// The signals that it was sent from here.
  private let sent = Locked<Set<Int32>>([])

  /// Starts `arguments[0]` (looked up in PATH), its output going to files that are appended to.
  init(
    _ arguments: [String], output: String, errors: String, folder: String? = nil,
    environment: [String: String] = [:]
  ) throws(SystemError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (descriptor, path) in [(Int32(1), output), (2, errors)] {
      posix_spawn_file_actions_addopen(
        &actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }
    // Sockets of other tests must not live on in a daemon.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
    posix_spawnattr_setflags(&attributes, flags)
    // Words are as `PathText` says them: names of files may be any bytes.
    var words = arguments.map { strdup($0.cPath) }
    words.append(nil)
    // Programs note that they run in the test's own folder, not in the machine's.
    let home = File.folder(of: errors.hasPrefix("/dev/") ? output : errors)
    let noted = ["FSHAREFS_RUNNING": home + "/running"].merging(environment) { $1 }
    var variables = Self.variables(noted).map { strdup($0) }
    variables.append(nil)
    defer { for text in words + variables { free(text) } }
    var child = pid_t()
    let code = posix_spawnp(&child, arguments[0], &actions, &attributes, words, variables)
    guard code == 0 else { throw SystemError(code: code, call: "start \(arguments[0])") }
    pid = child
  }

  /// How it ended; nil while it runs.
  var ended: Ending? {
    ending.withLock { ending in
      if ending == nil { ending = Self.reap(pid) }
      return ending
    }
  }

  /// The signal that it died of without having been sent it from here: a fault of its own, unless
  /// it was SIGKILL, which the kernel or another program sends. Nil where it ended otherwise.
  var fault: Int32? {
    guard case .signal(let number)? = ended, number != SIGKILL else { return nil }
    return sent.withLock { $0.contains(number) ? nil : number }
  }

  /// Sends a signal; a process that has ended gets none.
  func kill(_ number: Int32) {
    sent.withLock { _ = $0.insert(number) }
    ending.withLock { ending in
      if ending == nil { ending = Self.reap(pid) }
      // Not reaped yet, so the id is still this process's.
      if ending == nil { _ = Glibc.kill(pid, number) }
    }
  }

  /// Waits for its end.
  func wait(within limit: Duration = patience) throws -> Ending {
    try eventuallySome("process \(pid) ends", within: limit) { ended }
  }

  private static func reap(_ pid: pid_t) -> Ending? {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    return clinux_wifexited(status) != 0
      ? .exit(clinux_wexitstatus(status)) : .signal(clinux_wtermsig(status))
  }

  private static func variables(_ changed: [String: String]) -> [String] {
    var all = ["LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    for name in ["HOME", "PATH", "LD_LIBRARY_PATH"] {
      if let value = Environment.get(name) { all[name] = value }
    }
    all.merge(changed) { $1 }
    return all.map { "\($0)=\($1)" }.sorted()
  }
}
