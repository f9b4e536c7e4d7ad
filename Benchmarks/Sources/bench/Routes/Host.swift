import Glibc

/// `fsharefs --host`: hub, master and mount in one process, as a group begins.
final class Host {
  let place: Member.Place
  private(set) var port: UInt16 = 0
  private let stage: Stage
  private var child: Child

  var mount: String { place.mount }
  var pid: pid_t { child.pid }

  /// Starts it, and waits until it is mounted and its hub listens. `prepare` is given its own
  /// folder before that.
  init(_ stage: Stage, prepare: (_ own: String) throws -> Void) throws {
    self.stage = stage
    place = try Member.Place("host", stage)
    try Files.makeFolder(place.own)
    try prepare(place.own)
    child = try Child(Host.words(place, stage, port: 0), log: place.log)
    stage.scratch.atEnd { self.child.end() }
    try waitUntilMounted()
  }

  /// Ends it and starts it again, at the same port. Returns once it is mounted.
  func restart() throws {
    child.end()
    child = try Child(Host.words(place, stage, port: port), log: place.log)
    try waitUntilMounted()
  }

  /// Runs `fsharectl`. Returns: what it said; nil where it did not do what was asked.
  func control(_ arguments: String...) -> String? {
    Member.control(arguments, state: place.state, stage)
  }

  /// Ends it.
  func end() { child.end() }

  private func waitUntilMounted() throws {
    try eventually("the host is mounted", seconds: 120) {
      if child.ended != nil { throw Failure("the host ended: \(Files.text(of: place.log))") }
      port = Host.port(in: place.log) ?? 0
      return port != 0
        && Files.text(of: "/proc/self/mounts").contains(" \(mount) fuse.fsharefs ")
    }
  }

  private static func words(_ place: Member.Place, _ stage: Stage, port: UInt16) -> [String] {
    [
      stage.options.programs + "/fsharefs", "-f", "--host", "--listen", "127.0.0.1:\(port)",
      "--name", "host", "--state", place.state, "--member-entries", "2000000", place.mount,
    ]
  }

  /// The port of the last line of a log that says one.
  static func port(in log: String) -> UInt16? {
    Files.text(of: log).split(separator: "\n").last {
      $0.contains("listening on ") || $0.contains("listens on ")
    }?
    .split(separator: ":").last.flatMap { UInt16($0) }
  }
}
