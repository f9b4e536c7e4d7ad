import Control
import Glibc
import Sealing
import State
import System
import Testing

extension Adversity {
  /// Each file of the state folders of a hub, its master and a member, cut, damaged, of a later
  /// format and as it was yesterday: the start goes on and nothing is lost, or it stops with one
  /// line that says what to do.
  @Suite struct StateMatrix {
    /// S94, S97, S98, S99, S102.
    @Test func everyFileInEveryWay() throws {
      try withFixture(within: .seconds(300)) { fixture in
        let group = try KeptGroup(fixture)
        for kind in [StateKind.key, .group, .options, .shares, .keeps] {
          try group.stops(group.guest, kind)
        }
        for kind in [StateKind.key, .vault] { try group.stops(group.master, kind) }
        try group.stops(group.hub, .registry)
        for name in ["tls-key.pem", "tls-cert.pem"] { try group.hubStops(name) }
        // What costs nothing to lose, all at once, and of a later format one by one.
        let elsewhere: Set<StateKind> = [.targets, .browsers, .guests]
        let cheap = StateKind.allCases.filter { $0.isMadeAnew && !elsewhere.contains($0) }
        for kind in cheap { try group.stops(group.guest, kind, isOnlyLater: true) }
        for how in [Damage.half, .flipped] {
          try group.goesOn("guest, all that is made anew, \(how)") {
            for kind in cheap { try how.put(group.guest.state + "/" + kind.rawValue, kind) }
            try how.put(group.guest.state + "/list", nil)
          }
        }
        try group.goesOn("guest, a later list") {
          var list = try Files.read(group.guest.state + "/list")
          list[8] += 1
          try Files.write(group.guest.state + "/list", list)
        }
        // A log that is cut behind a record. Without the first one the hub has no master.
        let end = try group.recordEnds(of: group.hub.state + "/registry")[1]
        try group.goesOn("hub, registry cut at \(end)") {
          try Files.truncate(group.hub.state + "/registry", end)
        }
        try group.stops(group.master, .journal, isOnlyLater: true)
        // Yesterday's. (A journal that is damaged or set back costs seconds, and has tests of its
        // own.)
        for (name, kind) in [("hub", "registry"), ("master", "vault")] {
          try group.goesOn("\(name), yesterday's \(kind)") {
            try group.setBack(name, [kind])
          }
        }
        try group.goesOn("guest, yesterday's") {
          try group.setBack("guest", ["group", "shares", "index", "list", "incarnation", "name"])
        }
        // Of a master that was set back, and knows it.
        try group.makeRestored()
        try group.stops(group.master, .restored)
      }
    }
  }
}

/// What may become of a file.
private enum Damage {
  case half
  case flipped
  case empty
  case later

  /// Does it to a file that is there. `kind`: nil for one without a first line.
  func put(_ path: String, _ kind: StateKind?) throws {
    guard Files.exists(path) else { return }
    var bytes = try Files.read(path)
    switch self {
    case .half: bytes = Array(bytes[..<(bytes.count / 2)])
    case .flipped: bytes[bytes.count * 2 / 3] ^= 4
    case .empty: bytes = []
    case .later:
      let isLog = [.index, .journal, .registry, .targets].contains(kind)
      let body = Array(bytes.drop { $0 != UInt8(ascii: "\n") }.dropFirst())
      let head = Array("fsharefs \(kind?.rawValue ?? "") \(StateKind.format + 1)".utf8)
      let sum = Checksum.of(head, isLog ? [] : body)
      let text = sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      bytes = head + Array(" \(text)\n".utf8) + body
    }
    try Files.write(path, bytes)
  }
}

/// A hub, a master and members that have ended, as they were yesterday and as they are today.
private final class KeptGroup {
  let hub: HubProcess
  let master: Daemon
  let guest: Daemon
  /// Whom the master let in today, and whom it put out.
  let late: Daemon
  let out: Daemon
  private let fixture: Fixture
  private let cache: [String]
  private let yesterday: String
  private let today: String
  /// What programs were told that the group has.
  private var contents: [String: String] = [:]

  init(_ fixture: Fixture) throws {
    self.fixture = fixture
    hub = try fixture.hub()
    master = try fixture.master(hub)
    cache = ["--cache", fixture.newPath("cache")]
    guest = try fixture.member("guest", of: hub.address, approvedBy: master, cache)
    out = try fixture.member("out", of: hub.address, approvedBy: master)
    late = try fixture.waitingMember("late", of: hub.address)
    (yesterday, today) = (try fixture.newFolder("yesterday"), try fixture.newFolder("today"))
    let place = try fixture.newFolder("place")
    try Files.write(place + "/file", "in place")
    var contents = ["guest's": "one", "master's": "two"]
    try Files.write(guest.path("guest's"), "one")
    try Files.write(master.path("master's"), "two")
    try fixture.control(guest, "share", place, "--as", "place").succeeded()
    try fixture.waitFor(guest.path("master's"), "two")
    try fixture.control(guest, "keep", "master's").succeeded()
    contents["private"] = "four\n"
    try fixture.shell("umask 077; echo four > \"$1\"", guest.path("private")).succeeded()
    try end([guest, out, late, master])
    try keep(yesterday)

    try startAll()
    for daemon in [master, guest, out] { try daemon.waits(for: .live) }
    for index in 0..<5 {
      contents["guest's \(index)"] = "later \(index)"
      try Files.write(guest.path("guest's \(index)"), "later \(index)")
    }
    try Files.write(guest.path("guest's"), "one, again")
    contents["guest's"] = "one, again"
    try fixture.control(master, "approve", "late", "--yes").succeeded()
    try fixture.control(master, "disapprove", "out").succeeded()
    try late.waits(for: .live)
    try out.waits(for: .disapproved)
    try Files.write(late.path("late's"), "three")
    contents["late's"] = "three"
    try fixture.waitFor(guest.path("late's"), "three")
    try fixture.waitForSameList(master, guest)
    try end([guest, out, late, master])
    try keep(today)
    self.contents = contents
  }

  /// A start with one file of today's damaged stops, and leaves it as it is.
  func stops(_ daemon: Daemon, _ kind: StateKind, isOnlyLater: Bool = false) throws {
    let path = daemon.state + "/" + kind.rawValue
    for how in isOnlyLater ? [Damage.later] : [.half, .flipped, .empty, .later] {
      try expectStop(path, daemon.log, "\(daemon.name), \(kind), \(how)") {
        try how.put(path, kind)
        try start(daemon)
        return daemon.process
      }
    }
  }

  /// The same of a hub. What a crash leaves of a registry is none.
  func stops(_ hub: HubProcess, _ kind: StateKind) throws {
    let path = hub.state + "/" + kind.rawValue
    for how in [Damage.flipped, .empty, .later] {
      try expectStop(path, hub.log, "hub, \(kind), \(how)") {
        try how.put(path, kind)
        try hub.restart()
        return hub.process
      }
    }
  }

  /// The same of a file of the hub without a first line.
  func hubStops(_ name: String) throws {
    let path = hub.state + "/" + name
    for how in [Damage.half, .empty] {
      try expectStop(path, hub.log, "hub, \(name), \(how)") {
        try how.put(path, nil)
        try hub.restart()
        return hub.process
      }
    }
  }

  private func expectStop(
    _ path: String, _ log: String, _ what: String, _ start: () throws -> RunningProcess
  ) throws {
    try putBack()
    let said = try Files.read(log).count
    let process = try start()
    let damaged = try Files.read(path)
    #expect(try process.wait() == .exit(73), "\(what)")
    let text = String(decoding: try Files.read(log).dropFirst(said), as: UTF8.self)
    #expect(text.split(separator: "\n").count == 1, "\(what): \(text)")
    #expect(text.contains(path) && text.contains(": "), "\(what): \(text)")
    #expect(try Files.read(path) == damaged, "\(what)")
  }

  /// A start behind something done to today's folders goes on, with all that anybody was told.
  func goesOn(_ what: String, _ harm: () throws -> Void) throws {
    try putBack()
    try harm()
    do {
      try startAll()
      for daemon in [master, guest] { try daemon.waits(for: .live) }
      // Whom a master that was set back does not know a person is asked about.
      try eventually("late is in, or asked about") {
        if try late.status().state == .live { return true }
        guard try master.members().contains(where: { $0.name == "late" && $0.doubt != nil })
        else { return false }
        try fixture.control(master, "approve", "late", "--yes").succeeded()
        return false
      }
      for daemon in [master, guest, late] {
        for (name, content) in contents { try fixture.waitFor(daemon.path(name), content) }
        try fixture.waitFor(daemon.path("place/file"), "in place")
      }
      #expect(try out.status().state != .live, "\(what)")
      try fixture.waitForSameList(master, guest)
      try fixture.waitForSameList(master, late)
      for daemon in [master, guest] {
        #expect(try fixture.control(daemon, "check").ending == .exit(0), "\(what)")
      }
    } catch { throw NeverHappened(description: "\(what): \(error)") }
    try end([guest, out, late, master])
  }

  /// Files of one process are yesterday's.
  func setBack(_ name: String, _ files: [String]) throws {
    let state = name == "hub" ? hub.state : name == "master" ? master.state : guest.state
    for file in files {
      try fixture.run("cp", "-a", "\(yesterday)/\(last(state))/\(file)", "\(state)/\(file)")
        .succeeded()
    }
  }

  /// A master's folder, with the word that it was set back, is today's.
  func makeRestored() throws {
    try putBack()
    try setBack("master", ["vault"])
    try startAll()
    try eventually("the master knows") { Files.exists(master.state + "/restored") }
    try end([guest, out, late, master])
    try fixture.run("rm", "-r", today).succeeded()
    try Files.makeFolder(today)
    try keep(today)
  }

  /// Where the records of a log end, the first line included.
  func recordEnds(of path: String) throws -> [Int] {
    let bytes = try Files.read(path)
    var ends = [(bytes.firstIndex(of: UInt8(ascii: "\n")) ?? 0) + 1]
    while let end = ends.last, end < bytes.count {
      let length = (0..<4).reduce(0) { $0 | Int(bytes[end + $1]) << (8 * $1) }
      ends.append(end + 16 + length)
    }
    return ends
  }

  private func startAll() throws {
    if hub.process.ended != nil { try hub.restart() }
    for daemon in [master, guest, out, late] { try start(daemon) }
  }

  private func start(_ daemon: Daemon) throws {
    let words = daemon === master ? ["--master"] : daemon === guest ? cache : []
    try daemon.start(words + ["--nowait", hub.address])
  }

  private func end(_ daemons: [Daemon]) throws {
    for daemon in daemons { daemon.process.kill(SIGTERM) }
    for daemon in daemons { #expect(try daemon.process.wait() == .exit(0), "\(daemon.name)") }
    hub.process.kill(SIGTERM)
    #expect(try hub.process.wait() == .exit(0))
  }

  private var states: [String] { [hub.state] + [master, guest, late, out].map(\.state) }

  private func last(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  private func keep(_ folder: String) throws {
    try fixture.run(["cp", "-a"] + states + [folder]).succeeded()
  }

  private func putBack() throws {
    try fixture.run(["rm", "-rf"] + states).succeeded()
    try fixture.run(["cp", "-a"] + states.map { "\(today)/\(last($0))" } + [fixture.folder])
      .succeeded()
  }
}
