import CLinux
import Control
import Glibc
package import System

/// How a daemon tells the command that started it how far it is: lines for the user, then the outcome.
/// In the foreground the lines go to stderr directly.
package final class Startup: Sendable {
  private let pipe: Locked<OwnedDescriptor?>

  private init(_ pipe: OwnedDescriptor?) { self.pipe = Locked(pipe) }

  /// For a program that stays in the foreground.
  package static var foreground: Startup { Startup(nil) }

  /// Forks. The parent shows what the daemon says, and ends with its outcome; only the daemon returns.
  /// Call before any thread is started.
  package static func daemonise(logFile: String) throws(SystemError) -> Startup {
    var ends: [Int32] = [0, 0]
    try retryingOnInterrupt("pipe") { pipe2(&ends, O_CLOEXEC) }
    let child = try retryingOnInterrupt("fork") { clinux_fork() }
    if child != 0 {
      close(ends[1])
      exit(relay(from: ends[0]))
    }
    close(ends[0])
    setsid()
    redirect(to: logFile)
    return Startup(OwnedDescriptor(ends[1]))
  }

  /// A line for the user. Some of it may come from the hub or from peers.
  package func say(_ line: String) {
    write(Array("fsharefs: \(TerminalText.escaped(line))\n".utf8))
  }

  /// The mount is there: the command returns.
  package func succeeded() { pipe.withLock { finish(&$0, ExitCode.success.rawValue) } }

  /// It did not work: the command ends with this line and code.
  package func failed(_ ending: Ending) {
    say(ending.text)
    pipe.withLock { finish(&$0, ending.code.rawValue) }
  }

  private func write(_ bytes: [UInt8]) {
    pipe.withLock { pipe in
      // Nobody reads any more once the command has returned; then the log has it.
      try? File.writeAll(bytes, to: pipe?.raw ?? STDERR_FILENO, "stderr")
    }
  }

  /// The last byte behind a zero is the exit code.
  private func finish(_ pipe: inout OwnedDescriptor?, _ code: Int32) {
    if let end = pipe {
      try? File.writeAll([0, UInt8(truncatingIfNeeded: code)], to: end.raw, "pipe")
    }
    pipe = nil
  }

  private static func relay(from end: Int32) -> Int32 {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    var pending: [UInt8] = []
    while true {
      let count = read(end, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      // The daemon died without a word: its log says why.
      if count <= 0 { return ExitCode.failure.rawValue }
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

  private static func redirect(to logFile: String) {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    let log = open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode_t(0o600))
    dup2(null, STDIN_FILENO)
    dup2(log >= 0 ? log : null, STDOUT_FILENO)
    dup2(log >= 0 ? log : null, STDERR_FILENO)
    _ = chdir("/")
  }
}
