import CLinux
import Control
import Glibc
import System

/// Reads files of a mount to their ends, one after the other.
struct ContentCheck {
  /// Bytes of one read: what the kernel asks for at a time at most.
  private static let piece = 1 << 20
  private static let progressEvery: Duration = .milliseconds(250)

  private let session: Session
  private let isQuiet: Bool
  private let status: StatusReport?
  private var report = CheckReport(path: "")
  private var progress = ProgressLine()
  private var shownAt = MonotonicClock.now
  private let began = MonotonicClock.now
  /// Bytes that came, of files that are not whole too.
  private var came: UInt64 = 0

  /// A check that asks `session` why something does not come. `isQuiet`: without a line for each
  /// file.
  init(_ session: Session, isQuiet: Bool) {
    self.session = session
    self.isQuiet = isQuiet
    status = session.look(StatusReport.self, of: "status")
  }

  /// Reads all that there is at a path. Throws `ExitCode` where nothing can be written.
  mutating func run(_ path: String) throws -> CheckReport {
    report.path = path
    // The path itself may be a link; in what lies below none is followed.
    let top: Stat?
    do throws(SystemError) { top = try Stat(path: path) } catch {
      top = nil
      try failed(path, bytes: 0, SystemError.reason(error.code))
    }
    if let top { top.isDirectory ? try folder(path) : try file(path, flags: 0) }
    progress.clear()
    let time = MonotonicClock.now - began
    report.milliseconds = Int64(time / .milliseconds(1))
    report.rate = UInt64(Double(came) / max(time / .seconds(1), 0.001))
    return report
  }

  private mutating func folder(_ top: String) throws {
    // Taken from its end: a tree may be deeper than the stack.
    var waiting = [top]
    while let folder = waiting.popLast() {
      let names: [[UInt8]]
      do throws(SystemError) {
        names = try FolderItems.of(folder).map(\.name)
          .sorted { $0.lexicographicallyPrecedes($1) }
      } catch {
        try failed(folder, bytes: 0, SystemError.reason(error.code))
        continue
      }
      report.folders += 1
      var below: [String] = []
      for name in names {
        let path = String(pathBytes: folder.pathBytes + [UInt8(ascii: "/")] + name)
        var stat = stat()
        guard lstat(path.cPath, &stat) == 0 else {
          // It may have been taken back meanwhile.
          if errno != ENOENT { try failed(path, bytes: 0, SystemError.reason(errno)) }
          continue
        }
        switch stat.st_mode & mode_t(0o170000) {
        case mode_t(0o040000): below.append(path)
        case mode_t(0o100000): try file(path, flags: O_NOFOLLOW)
        default: report.passedBy += 1
        }
      }
      waiting += below.reversed()
    }
  }

  private mutating func file(_ path: String, flags: Int32) throws {
    forgetOwn(path)
    let common = O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags
    // Past the kernel's memory: what it has from before says nothing of what can be had now.
    var raw = open(path.cPath, common | clinux_o_direct())
    if raw < 0, errno == EINVAL {
      raw = open(path.cPath, common)
      if raw >= 0 { posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED) }
    }
    guard raw >= 0 else { return try failed(path, bytes: 0, SystemError.reason(errno)) }
    let file = OwnedDescriptor(raw)
    var buffer: UnsafeMutableRawPointer?
    guard posix_memalign(&buffer, 4_096, Self.piece) == 0, let buffer else {
      return try failed(path, bytes: 0, SystemError.reason(ENOMEM))
    }
    defer { free(buffer) }
    var bytes: UInt64 = 0
    while true {
      // SAFETY: the buffer has room for one piece.
      let count = pread(file.raw, buffer, Self.piece, off_t(bytes))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return try failed(path, bytes: bytes, SystemError.reason(errno)) }
      if count == 0 { break }
      bytes += UInt64(count)
      came += UInt64(count)
      showProgress(path)
    }
    guard let size = try? Stat(descriptor: file.raw).size, UInt64(max(0, size)) == bytes else {
      return try failed(path, bytes: bytes, "it ended early, or changes")
    }
    report.files += 1
    report.bytes += bytes
    guard !isQuiet else { return }
    progress.clear()
    try session.write("whole  \(TerminalText.escaped(path))  \(CheckReport.amount(bytes))")
  }

  private mutating func failed(_ path: String, bytes: UInt64, _ error: String) throws {
    let why = session.look(WhyReport.self, of: "why", PathWords.of(path))
    let failure = CheckReport.Failure(
      path: path, bytes: bytes, error: error,
      why: why?.text.split(separator: "\n").map(String.init) ?? [])
    report.failures.append(failure)
    guard !session.hasJSON else { return }
    progress.clear()
    try session.write(failure.text(session.style))
  }

  /// What the disk's file system has in memory of an own file is no proof either.
  private func forgetOwn(_ path: String) {
    guard let status else { return }
    let absolute = (File.resolved(path) ?? path).pathBytes
    let mount = status.mountpoint.pathBytes
    guard File.isSameOrBelow(absolute, mount), absolute.count > mount.count else { return }
    let own = String(pathBytes: status.ownFolder.pathBytes + absolute[mount.count...])
    let raw = open(own.cPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard raw >= 0 else { return }
    posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED)
    close(raw)
  }

  private mutating func showProgress(_ path: String) {
    let now = MonotonicClock.now
    guard now - shownAt >= Self.progressEvery, !session.hasJSON else { return }
    shownAt = now
    let rate = UInt64(Double(came) / max((now - began) / .seconds(1), 0.001))
    progress.show(
      "\(report.files) files, \(CheckReport.amount(came)), \(CheckReport.amount(rate))/s  "
        + TerminalText.escaped(path))
  }
}
