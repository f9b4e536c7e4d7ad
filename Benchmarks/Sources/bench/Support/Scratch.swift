import Glibc

/// A folder of the bench's own in memory, and what is to be undone at the end, last done first.
final class Scratch {
  let folder: String
  private var undo: [() -> Void] = []
  private var names = 0

  /// In `TMPDIR`, or in memory, so that no disk is measured.
  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/dev/shm"
    var template = Array("\(base)/fsharefs-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure.call("make a folder in \(base)") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A path that was not given before.
  func path(_ kind: String) -> String {
    names += 1
    return "\(folder)/\(kind)-\(names)"
  }

  /// A new folder, of nobody else's.
  func newFolder(_ kind: String) throws -> String {
    let path = path(kind)
    try checked("make \(path)") { mkdir(path, 0o700) }
    return path
  }

  /// Says what to do at the end.
  func atEnd(_ body: @escaping () -> Void) { undo.append(body) }

  /// Undoes everything.
  func cleanUp() {
    Interruption.forget()
    while let body = undo.popLast() { body() }
    // One file system only: should an unmount have failed, what is mounted is left alone.
    try? Child.run(["rm", "-rf", "--one-file-system", folder], log: "/dev/null")
  }
}
