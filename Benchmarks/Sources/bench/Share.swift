import Glibc

/// fsharefs: owner → hub → second member's mount.
final class Share: Contender {
  let name = "fsharefs"
  private let source: String
  private let target: String

  /// Starts a host and a member, and waits until both are live.
  init(_ programs: String, _ scratch: Scratch) throws {
    source = try scratch.newFolder("host")
    target = try scratch.newFolder("member")
    let hostState = scratch.path("host-state")
    let memberState = scratch.path("member-state")
    let log = scratch.path("host-log")
    let program = programs + "/fsharefs"
    let host = try Child(
      [program, "--host", "-f", "--listen", "127.0.0.1:0", "--state", hostState, source], log: log)
    scratch.atEnd { host.end() }
    var address = ""
    try eventually("the hub listens") {
      for line in text(of: log).split(separator: "\n") where line.contains("hub listens on ") {
        address = String(line.split(separator: " ").last ?? "")
      }
      if host.ended != nil { throw Failure("fsharefs ended: \(text(of: log))") }
      return !address.isEmpty
    }
    let memberLog = scratch.path("member-log")
    let member = try Child(
      [program, "-f", "--nowait", "--name", "member", "--state", memberState, address, target],
      log: memberLog)
    scratch.atEnd { member.end() }
    let control = programs + "/fsharectl"
    let answers = scratch.path("answers")
    try eventually("the member is approved") {
      if member.ended != nil { throw Failure("fsharefs ended: \(text(of: memberLog))") }
      let words = [control, "approve", "member", "--state", hostState]
      return (try? Child.run(words, log: answers)) != nil
    }
  }

  func measure(size: Int, seed: UInt64) throws -> Double {
    let file = "bench-\(seed)"
    try Content.write("\(source)/\(file)", size: size, seed: seed)
    defer { unlink("\(source)/\(file)") }
    try eventually("the member sees \(file)") {
      var record = stat()
      return stat("\(target)/\(file)", &record) == 0 && Int(record.st_size) == size
    }
    return try Content.timeToRead("\(target)/\(file)", size: size, seed: seed)
  }
}
