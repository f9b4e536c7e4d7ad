import Glibc
import System
import Testing

/// S109: the log of a process in the background.
struct LogFileTests {
  private let folder = "/tmp/fsharefs-log-" + String(SecureRandom.uint64(), radix: 16)
  private var path: String { folder + "/log" }

  @Test func `a log keeps its bound, and the lines before the last ones beside it`() throws {
    let (log, descriptor) = try begin(limit: 1_000)
    defer { end(descriptor) }
    for number in 0..<100 { log.write(Array("line \(number) of some length\n".utf8)) }
    let (now, before) = (try content(path), try content(path + ".1"))
    #expect(now.utf8.count <= 1_000 && before.utf8.count <= 1_000)
    #expect(now.hasSuffix("line 99 of some length\n"))
    let lines = (before + now).split(separator: "\n")
    let first = try #require(lines.first.flatMap { Int($0.split(separator: " ")[1]) })
    #expect(lines.count == 100 - first && lines.count > 35)
    #expect(try Stat(path: path).permissions == 0o600)
  }

  @Test func `what others write there counts`() throws {
    let (log, descriptor) = try begin(limit: 1_000)
    defer { end(descriptor) }
    try File.writeAll([UInt8](repeating: 0x2E, count: 990), to: descriptor, "log")
    log.write(Array("a line of more than ten bytes\n".utf8))
    #expect(try content(path) == "a line of more than ten bytes\n")
    #expect(try content(path + ".1").utf8.count == 990)
  }

  @Test func `where no other file can be made the log begins anew`() throws {
    let (log, descriptor) = try begin(limit: 100)
    defer { end(descriptor) }
    log.write(Array("old\n".utf8))
    try File.makeDirectories(path + ".1/in the way", mode: 0o700)
    defer {
      rmdir(path + ".1/in the way")
      rmdir(path + ".1")
    }
    log.write([UInt8](repeating: 0x2E, count: 99) + [0x0A])
    #expect(try content(path).utf8.count == 100)
  }

  /// S106: what `logrotate` does, and the SIGHUP after it.
  @Test func `a log that was moved away begins again under its name`() throws {
    let (log, descriptor) = try begin(limit: 1_000)
    defer { end(descriptor) }
    log.write(Array("before\n".utf8))
    #expect(rename(path, path + ".1") == 0)
    log.write(Array("still there\n".utf8))
    log.reopen()
    log.write(Array("after\n".utf8))
    #expect(try content(path + ".1") == "before\nstill there\n")
    #expect(try content(path) == "after\n")
  }

  @Test func `a pipe in its place is not waited for, and whoever asks is told`() throws {
    try File.makeDirectories(folder, mode: 0o700)
    #expect(mkfifo(path.cPath, 0o600) == 0)
    let descriptor = dup(STDIN_FILENO)
    defer { end(descriptor) }
    #expect(throws: SystemError.self) { try LogFile.check(path) }
    LogFile(path: path, leading: [descriptor]).write(Array("into nothing\n".utf8))
  }

  @Test func `a log that cannot be opened leads nowhere`() throws {
    let descriptor = dup(STDIN_FILENO)
    defer { end(descriptor) }
    let log = LogFile(path: folder + "/missing/log", leading: [descriptor])
    log.write(Array("unheard\n".utf8))
    #expect(try Stat(descriptor: descriptor).size == 0)
  }

  private func begin(limit: Int) throws -> (LogFile, Int32) {
    try File.makeDirectories(folder, mode: 0o700)
    let descriptor = dup(STDERR_FILENO)
    return (LogFile(path: path, limit: limit, leading: [descriptor]), descriptor)
  }

  private func end(_ descriptor: Int32) {
    close(descriptor)
    unlink(path)
    unlink(path + ".1")
    rmdir(folder)
  }

  private func content(_ path: String) throws -> String {
    String(decoding: try File.readAll(path, limit: 1 << 20), as: UTF8.self)
  }
}
