import CLinux
import Control
import Glibc
package import System

/// How a daemon tells the command that started it how far it is: lines for the user, then the
/// outcome. In the foreground the lines go to stderr directly.
package final class Startup: Sendable {
  /// Where the lines of a daemon go; nil in the foreground.
  package let logFile: LogFile?
  /// The end of the pipe to the command that waits; nil in the foreground.
  private let command: OwnedDescriptor?
  /// Whether the command still waits for the outcome. Held while something is written to it.
  private let isAwaited: Locked<Bool>
  /// Whether mount(8) waits.
  private let isByMount: Bool
  /// Whether there is, or was, a mount.
  private let isLive = Locked(false)

  private init(command: OwnedDescriptor?, logFile: LogFile?, isByMount: Bool = false) {
    self.command = command
    self.logFile = logFile
    self.isByMount = isByMount
    isAwaited = Locked(command != nil)
  }

  /// For a program that stays in the foreground.
  package static var foreground: Startup { Startup(command: nil, logFile: nil) }

  /// Forks. The parent shows what the daemon says, and ends with its outcome, or by a signal; only
  /// the daemon returns. Call before any thread is started, with signals as they are by default.
  ///
  /// `isByMount`: for mount(8). An automount, of systemd or autofs, lets the process group that is
  /// to mount pass, and has everybody else wait for the mount: that group is left only behind it.
  /// `mounted`: done by the parent when the mount is there, before it ends.
  package static func daemonise(
    logFile: String, isByMount: Bool = false, mounted: () -> Void = {}
  ) throws(SystemError) -> Startup {
    var ends: [Int32] = [0, 0]
    try retryingOnInterrupt("pipe") { pipe2(&ends, O_CLOEXEC) }
    let child = try retryingOnInterrupt("fork") { clinux_fork() }
    if child != 0 {
      close(ends[1])
      let status = relay(from: ends[0], logFile: logFile, isByMount: isByMount)
      if status == ExitCode.success.rawValue { mounted() }
      exit(status)
    }
    close(ends[0])
    if !isByMount { setsid() }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    dup2(null, STDIN_FILENO)
    let log = LogFile(path: logFile)
    _ = chdir("/")
    return Startup(command: OwnedDescriptor(ends[1]), logFile: log, isByMount: isByMount)
  }

  /// Has `gone` called when the command that waits is ended before its outcome is there: nobody
  /// wants the mount any more. nil where no command waits.
  package func waiter(_ gone: @escaping @Sendable () -> Void) -> SignalWatcher.Waiter? {
    guard let command else { return nil }
    return SignalWatcher.Waiter(pipe: command) { [isAwaited] in
      // With its outcome it has ended as it should.
      if isAwaited.withLock({ $0 }) { gone() }
    }
  }

  /// Whether a command waits for the outcome.
  package var isAwaitedByCommand: Bool { isAwaited.withLock { $0 } }

  /// A line of the command itself to who typed it, wherever its stderr goes: no line of a log.
  package static func tell(_ line: String) {
    let text = "fsharefs: \(TerminalText.escaped(line))\n"
    try? File.writeAll(Array(text.utf8), to: STDERR_FILENO, "stderr")
  }

  /// A line for the user. Some of it may come from the hub or from peers.
  package func say(_ line: String) { say(line, priority: .notice) }

  private func say(_ line: String, priority: LinePriority) {
    let bytes = Array("fsharefs: \(TerminalText.escaped(line))\n".utf8)
    let isTold = isAwaited.withLock { isAwaited -> Bool in
      guard isAwaited, let command else { return false }
      // A command that is stopped reads nothing, and must not stop the daemon; there is always room
      // for the outcome.
      var unread: Int32 = 0
      guard ioctl(command.raw, UInt(FIONREAD), &unread) == 0,
        Int(unread) + bytes.count <= Self.unreadLimit
      else { return true }
      try? File.writeAll(bytes, to: command.raw, "pipe")
      return true
    }
    if isTold { return }
    let shown = stamped(bytes, priority: priority)
    if let logFile { return logFile.write(shown) }
    try? File.writeAll(shown, to: STDERR_FILENO, "stderr")
  }

  /// The line as the log has it, where it goes to a log. A person at a terminal wants the plain
  /// line; so does whoever reads why a command has ended before there was a mount.
  private func stamped(_ bytes: [UInt8], priority: LinePriority) -> [UInt8] {
    let stamp = logFile == nil ? LogStamp.reader(of: STDERR_FILENO) : .plain
    let isForPeople = isatty(STDERR_FILENO) == 1 || priority == .error && !isLive.withLock { $0 }
    if logFile == nil, stamp == .plain, isForPeople { return bytes }
    let text = bytes.drop { $0 != UInt8(ascii: " ") }.dropFirst()
    let begin = stamp.begin("fsharefs", level: priority.level, priority: priority.rawValue)
    return Array(begin.utf8) + text
  }

  /// How much a line matters, as syslog(3) counts.
  private enum LinePriority: Int {
    case error = 3
    case notice = 5

    var level: String { self == .error ? "error" : "notice" }
  }

  /// The mount is there: the command returns. Returns: false where it was ended before it could
  /// know.
  package func succeeded() -> Bool {
    if isByMount, command != nil { setsid() }
    isLive.withLock { $0 = true }
    return finish(.success)
  }

  /// It did not work: the command ends with this line and code.
  package func failed(_ ending: Ending) {
    say(ending.text, priority: .error)
    _ = finish(ending.code)
  }

  /// Bytes that the command has not read at most: half of what a pipe holds.
  private static let unreadLimit = 32_768

  /// The last byte behind a zero is the exit code.
  private func finish(_ code: ExitCode) -> Bool {
    isAwaited.withLock { isAwaited in
      guard isAwaited, let command else { return true }
      isAwaited = false
      let status = ExitStatus.of(code, isByMount: isByMount)
      let bytes = [0, UInt8(truncatingIfNeeded: status)]
      return (try? File.writeAll(bytes, to: command.raw, "pipe")) != nil
    }
  }

  private static func relay(from end: Int32, logFile: String, isByMount: Bool) -> Int32 {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    var pending: [UInt8] = []
    while true {
      let count = read(end, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 {
        foreground.say("it has ended before the mount was there; its log is \(logFile)")
        return ExitStatus.of(.failure, isByMount: isByMount)
      }
      pending += buffer[..<count]
      if let zero = pending.firstIndex(of: 0), zero + 1 < pending.count {
        try? File.writeAll(Array(pending[..<zero]), to: STDERR_FILENO, "stderr")
        return Int32(pending[zero + 1])
      }
      let shown = pending.firstIndex(of: 0) ?? pending.count
      try? File.writeAll(Array(pending[..<shown]), to: STDERR_FILENO, "stderr")
      pending.removeFirst(shown)
    }
  }
}
