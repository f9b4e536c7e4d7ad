import Glibc

/// The log of a process in the background: its standard output and error lead to it. It never has
/// more than `limit` bytes; what was there before is `PATH.1`, and what was before that is gone.
package final class LogFile: Sendable {
  /// Enough for some weeks of a machine whose peers come and go, and little beside what is shared:
  /// both files take twice that of the disk at most.
  package static let usualLimit = 4 << 20

  private let path: [CChar]
  private let older: [CChar]
  private let limit: Int
  /// The descriptors that lead to it; what is written goes by the last.
  private let descriptors: [Int32]
  /// Held while a line is written, so that one that begins a new file does not overtake others.
  private let turn = Locked(())

  /// Leads descriptors to a file, made 0600 if it is missing; to nowhere if it cannot be opened.
  package init(
    path: String, limit: Int = LogFile.usualLimit,
    leading descriptors: [Int32] = [STDOUT_FILENO, STDERR_FILENO]
  ) {
    precondition(!descriptors.isEmpty, "something leads to a log")
    self.descriptors = descriptors
    self.path = path.cPath
    older = (path + ".1").cPath
    self.limit = limit
    if !begin(flags: 0) {
      lead(to: open("/dev/null", O_WRONLY | O_CLOEXEC))
    }
  }

  /// Writes a line, in a new file where it would not fit. A log that cannot be written has nowhere
  /// to complain. Any thread.
  package func write(_ line: [UInt8]) {
    turn.withLock { _ in
      // Others write there too, the runtime's last words for one, so the file says how long it is.
      if let now = try? Stat(descriptor: descriptor), now.isRegular,
        now.size + Int64(line.count) > Int64(limit)
      {
        makeRoom()
      }
      _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
  }

  /// Goes on in a file of that name, made where it is missing: whoever rotates logs has moved the
  /// one that was written until now. Any thread.
  package func reopen() {
    turn.withLock { _ in _ = begin(flags: 0) }
  }

  private func makeRoom() {
    if rename(path, older) == 0, begin(flags: O_EXCL) { return }
    // The folder is full, gone, or somebody else's by now: better the last lines than none.
    _ = ftruncate(descriptor, 0)
  }

  /// Opens what is to be a log and closes it again: for who named it, and is there to be told.
  package static func check(_ path: String) throws(SystemError) {
    _ = OwnedDescriptor(
      try retryingOnInterrupt("log file \(path)") { open(path.cPath, flags, mode_t(0o600)) })
  }

  /// A pipe that nobody reads is not waited for.
  private static let flags =
    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK

  private func begin(flags: Int32) -> Bool {
    let file = open(path, Self.flags | flags, mode_t(0o600))
    lead(to: file)
    return file >= 0
  }

  private var descriptor: Int32 { descriptors[descriptors.count - 1] }

  private func lead(to file: Int32) {
    guard file >= 0 else { return }
    for descriptor in descriptors where descriptor != file { dup2(file, descriptor) }
    if !descriptors.contains(file) { close(file) }
  }
}
