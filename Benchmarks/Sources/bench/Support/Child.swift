import Glibc

/// A program that the bench started.
final class Child {
  let pid: pid_t
  private let name: String
  private var status: Int32?

  /// Starts a program; what it says goes to a file.
  init(_ words: [String], log: String) throws {
    name = words[0]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var arguments = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    let code = posix_spawnp(&child, words[0], &actions, nil, arguments, environ)
    guard code == 0 else { throw Failure("\(words[0]): \(String(cString: strerror(code)))") }
    pid = child
  }

  /// The wait status; nil while it runs.
  var ended: Int32? {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    return status
  }

  /// Asks it to end, then makes it.
  func end() {
    for signal in [SIGTERM, SIGKILL] where ended == nil {
      kill(pid, signal)
      _ = try? eventually("\(name) ends", seconds: 10) { ended != nil }
    }
  }

  /// Runs a program that says nothing to its end. Returns: the seconds that it took. Throws unless
  /// it ended well.
  static func timed(_ words: [String], log: String) throws -> Double {
    let start = Clock.now
    let child = try Child(words, log: log)
    var status: Int32 = 0
    do {
      try checked("wait for \(words[0])") { waitpid(child.pid, &status, 0) }
    } catch {
      child.end()
      throw error
    }
    let seconds = Clock.now - start
    child.status = status
    guard status == 0 else {
      throw Failure("\(words.joined(separator: " ")) failed; it said:\n\(Files.text(of: log))")
    }
    return seconds
  }

  /// Runs a program to its end. Throws unless it ended well.
  static func run(_ words: [String], log: String) throws {
    let child = try Child(words, log: log)
    try eventually("\(words[0]) ends", seconds: 60) { child.ended != nil }
    guard child.ended == 0 else {
      throw Failure("\(words.joined(separator: " ")) failed; it said:\n\(Files.text(of: log))")
    }
  }
}

/// Waits until a condition holds.
func eventually(_ what: String, seconds: Double = 30, _ condition: () throws -> Bool) throws {
  let end = Clock.now + seconds
  while !(try condition()) {
    try Interruption.check()
    guard Clock.now < end else { throw Failure("not within \(seconds) s: \(what)") }
    _ = poll(nil, 0, 10)
  }
}
