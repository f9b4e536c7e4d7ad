import CLinux
import Glibc
import System
import Testing

/// What a row of operations in one folder came to, line by line: done on the mount and in a plain
/// folder, the two can be compared.
final class Trace {
  /// The folder in which the operations take place.
  let folder: String
  private(set) var lines: [String] = []

  init(_ folder: String) { self.folder = folder }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Notes something that was seen.
  func note(_ what: String, _ value: Any) { lines.append("\(what): \(value)") }

  /// Makes a call and notes what it answers, or its errno.
  @discardableResult
  func call(_ what: String, _ body: () -> Int) -> Int {
    errno = 0
    let result = body()
    let code = errno
    note(what, result < 0 ? "errno \(code) (\(SystemError.reason(code)))" : "\(result)")
    return result
  }

  /// Makes a call of which only success or the errno matters.
  @discardableResult
  func call(_ what: String, _ body: () -> Int32) -> Int {
    call(what) { () -> Int in body() < 0 ? -1 : 0 }
  }

  /// Opens and notes whether that went well.
  func open(_ name: String, _ flags: Int32, mode: UInt32 = 0o644) -> Int32 {
    errno = 0
    let file = Glibc.open(path(name), flags | O_CLOEXEC, mode_t(mode))
    let code = errno
    note("open \(name) \(flags)", file < 0 ? "errno \(code) (\(SystemError.reason(code)))" : "ok")
    return file
  }

  /// Opens, notes whether that went well, and closes.
  func tryOpen(_ name: String, _ flags: Int32, mode: UInt32 = 0o644) {
    let file = open(name, flags, mode: mode)
    if file >= 0 { _ = Glibc.close(file) }
  }

  /// Writes a whole file, which must go well.
  func write(_ name: String, _ text: String) throws { try Files.write(path(name), text) }

  /// Notes a whole file's content.
  func noteContent(_ name: String) {
    do { note("content of \(name)", try Files.text(path(name))) } catch {
      note("content of \(name)", "errno \(error.code)")
    }
  }

  /// Notes bytes of an open file.
  func noteBytes(_ what: String, _ file: Int32, at offset: Int, count: Int) {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = pread(file, &bytes, count, off_t(offset))
    note(what, got < 0 ? "errno \(errno)" : "\(Array(bytes[..<got]))")
  }

  /// Notes what is in a folder, names only.
  func noteNames(_ name: String = ".") {
    note("names in \(name)", (try? Files.list(path(name))).map { "\($0)" } ?? "errno \(errno)")
  }

  /// Notes what `fstat` says that does not depend on the file system.
  func noteStat(_ what: String, _ file: Int32) {
    do {
      let stat = try Stat(descriptor: file)
      note(what, "size \(stat.size) links \(stat.nlink) mode \(String(stat.mode, radix: 8))")
    } catch { note(what, "errno \(error.code)") }
  }
}

extension Fixture {
  /// Runs the same operations on a mount and in a plain folder, each in an empty folder of its own,
  /// and expects the same of both.
  func expectAgreement(
    _ mount: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Trace) throws -> Void
  ) throws {
    let shared = Trace("\(mount)/\(name)")
    let plain = Trace(newPath("plain-\(name)"))
    for trace in [shared, plain] {
      try Files.makeFolder(trace.folder)
      try body(trace)
    }
    let differences = zip(shared.lines, plain.lines).filter { $0 != $1 }
      .map { "mount \($0)\nplain \($1)" }
    #expect(
      differences.isEmpty && shared.lines.count == plain.lines.count,
      "\(name): \(differences.joined(separator: "\n"))", sourceLocation: sourceLocation)
  }
}
