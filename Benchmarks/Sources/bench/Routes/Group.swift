import Glibc

/// fsharefs: a hub, an owner that is the master too, and a reader, in processes of their own, as
/// they are by default: TLS under the control plane, every leaf sealed from end to end.
final class Group: Route {
  /// Which way leaves take where both can be had.
  enum Way {
    /// All through the hub.
    case hub
    /// By a line between the two members.
    case direct

    fileprivate var words: [String] { self == .hub ? ["--direct", "off"] : [] }
  }

  var name: String { way == .hub ? "fsharefs" : "fsharefs, direct" }
  private let way: Way
  let hub: Child
  let port: UInt16
  let owner: Member
  private let stage: Stage
  let reader: Member
  private var settled = 0

  var source: String { owner.mount }
  var target: String { reader.mount }

  var processes: [(role: String, pid: Int32)] {
    [("owner", owner.pid), ("hub", hub.pid), ("reader", reader.pid)]
  }

  /// How the members of a group are reached.
  struct Proxies {
    /// Between the owner and the hub.
    var owner: Proxy?
    /// Between the reader and the hub.
    var reader: Proxy?
  }

  /// Starts hub, owner and reader, and waits until both members are live, and a line stands where
  /// one is wanted. `prepare` is given the owner's own folder before the owner starts.
  init(
    _ stage: Stage, way: Way = .hub, proxies: Proxies = Proxies(), ownerOptions: [String] = [],
    prepare: (_ own: String) throws -> Void = { _ in }
  ) throws {
    self.stage = stage
    self.way = way
    let state = try stage.scratch.newFolder("hub-state")
    let log = stage.scratch.path("hub-log")
    let hub = try Child(
      [stage.options.programs + "/fshare-hub", "--listen", "127.0.0.1:0", "--state", state],
      log: log)
    stage.scratch.atEnd { hub.end() }
    self.hub = hub
    port = try Group.portInLog(log, hub)
    let ownerPlace = try Member.Place("owner", stage)
    try Files.makeFolder(ownerPlace.own)
    try prepare(ownerPlace.own)
    owner = try Member(
      ownerPlace, hub: try proxies.owner?.entrance(to: port) ?? port,
      options: ["--master", "--claim-file", "\(state)/claim-code"] + way.words + ownerOptions, stage
    )
    try owner.waitUntilLive()
    reader = try Member(
      Member.Place("reader", stage), hub: try proxies.reader?.entrance(to: port) ?? port,
      options: ["--nowait"] + way.words, stage)
    try admit(reader)
    if way == .direct { try waitForLine() }
  }

  private func waitForLine() throws {
    try Content.write("\(source)/first", size: 1 << 20, seed: 1)
    try settle()
    _ = try Content.timeToRead("\(target)/first", size: 1 << 20, seed: 1)
    try eventually("a line stands between owner and reader", seconds: 30) {
      let report = Member.control(["status", "--json"], state: reader.place.state, stage)
      return report?.contains("\"lines\" : 1") ?? false
    }
  }

  /// Starts a further member, and waits until it shows what the owner shares.
  func member(_ name: String, options: [String] = []) throws -> Member {
    let member = try Member(
      Member.Place(name, stage), hub: port, options: ["--nowait"] + way.words + options, stage)
    try admit(member)
    return member
  }

  func settle() throws { try settle(from: owner, to: reader) }

  /// Returns once what one member shares is to be seen at another: the list has one order, so what
  /// was shared last shows that all before it is there.
  func settle(from: Member, to: Member) throws {
    settled += 1
    let mark = "settled-\(settled)"
    try "".write(to: "\(from.mount)/\(mark)")
    try eventually("\(to.name) sees \(mark)", seconds: 60) {
      try to.check()
      return Files.size(of: "\(to.mount)/\(mark)") != nil
    }
  }

  /// The reader leaves and comes back: what it shows then, the kernel has never seen.
  func remount() throws {
    try reader.restart()
    try settle()
  }

  private func admit(_ member: Member) throws {
    try eventually("\(member.name) is approved") {
      try member.check()
      return owner.control("approve", member.name, "--yes")
    }
    try settle(from: owner, to: member)
  }

  /// The port that a hub says in its log, once it does.
  static func portInLog(_ log: String, _ hub: Child) throws -> UInt16 {
    var port: UInt16?
    try eventually("the hub listens") {
      if hub.ended != nil { throw Failure("fshare-hub ended: \(Files.text(of: log))") }
      port = Host.port(in: log)
      return port != nil
    }
    guard let port else { throw Failure("the hub does not say its port") }
    return port
  }
}
