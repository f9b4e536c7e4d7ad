import Glibc

/// A member of a group: one `fsharefs` process and its mount.
final class Member {
  /// Where a member keeps what.
  struct Place {
    let name: String
    let state: String
    let mount: String
    let log: String

    init(_ name: String, _ stage: Stage) throws {
      self.name = name
      state = try stage.scratch.newFolder("\(name)-state")
      mount = try stage.scratch.newFolder(name)
      log = stage.scratch.path("\(name)-log")
    }

    /// Its own files.
    var own: String { state + "/own" }
  }

  let place: Place
  private let stage: Stage
  private let words: [String]
  private var child: Child

  var name: String { place.name }
  var mount: String { place.mount }
  var pid: pid_t { child.pid }

  /// Starts it.
  init(_ place: Place, hub: UInt16, options: [String], _ stage: Stage) throws {
    self.place = place
    self.stage = stage
    words =
      [stage.options.programs + "/fsharefs", "-f", "--name", place.name, "--state", place.state]
      + options
      + ["127.0.0.1:\(hub)", place.mount]
    child = try Child(words, log: place.log)
    // The process is another one after a restart.
    stage.scratch.atEnd { self.child.end() }
  }

  /// Throws once it ended, with what it said.
  func check() throws {
    guard child.ended != nil else { return }
    throw Failure("fsharefs (\(name)) ended: \(Files.text(of: place.log))")
  }

  /// Runs `fsharectl`. Returns: whether it did what was asked.
  func control(_ arguments: String...) -> Bool {
    Member.control(arguments, state: place.state, stage) != nil
  }

  /// Runs `fsharectl` for whoever has this state folder. Returns: what it said; nil where it did
  /// not do what was asked.
  static func control(_ arguments: [String], state: String, _ stage: Stage) -> String? {
    let log = stage.scratch.path("control")
    defer { unlink(log) }
    let words = [stage.options.programs + "/fsharectl"] + arguments + ["--state", state]
    return (try? Child.run(words, log: log)) == nil ? nil : Files.text(of: log)
  }

  /// Ends it.
  func end() { child.end() }

  /// Returns once it takes commands and a file can be shared.
  func waitUntilLive() throws {
    try eventually("\(name) is live") {
      try check()
      guard Files.text(of: "/proc/self/mounts").contains(" \(mount) fuse.fsharefs ") else {
        return false
      }
      return (try? "".write(to: "\(mount)/live")) != nil
    }
  }

  /// Ends it and starts it again, with what it keeps between runs.
  func restart() throws {
    child.end()
    child = try Child(words, log: place.log)
  }
}
