package import Protocol

/// The line to an owner, as far as its leaves are concerned.
struct OwnerLine: Sendable {
  let id: LineID
  /// When anything came by it last.
  var heard: Instant
  /// Until when nothing is asked by it: it gave nothing while leaves were due.
  var restsUntil: Instant?
  /// How often that was so since a leaf came.
  var stalls = 0
}

/// Which way a leaf is asked for: by the line to its owner where one stands and is well, else
/// through the hub. Whatever becomes of a line, what is outstanding on it is asked for through the
/// hub, and no read hears of it.
extension ChunkFetcher {
  /// For so long nothing comes by a line while leaves are due, and it has stalled.
  package static let stallsAfter: Duration = .seconds(1)
  /// For no longer than this leaves of a file that others read too are asked of the hub.
  static let sharedLimit: Duration = .seconds(600)
  private static let firstRest: Duration = .seconds(10)
  private static let longestRest: Duration = .seconds(300)

  /// What keeps leaves of a file from coming by a line, for people.
  package enum DirectState: Equatable, Sendable {
    case direct(LineID)
    /// Nothing came by the line while leaves were due.
    case stalled(LineID)
    /// Others read the file, too.
    case shared
    case noLine
  }

  /// How leaves of a version are asked for now.
  package func directState(of version: VersionKey, now: Instant) -> DirectState {
    guard let line = lines[version.file.owner] else { return .noLine }
    if let until = sharedUntil[version], now < until { return .shared }
    if let until = line.restsUntil, now < until { return .stalled(line.id) }
    return .direct(line.id)
  }

  func way(of key: LeafKey, now: Instant) -> ChunkWay {
    // Empty for whoever has no lines, so that it costs nothing there.
    if lines.isEmpty { return .hub }
    if case .direct(let id) = directState(of: key.content, now: now) { return .line(id) }
    return .hub
  }

  /// A line to an owner stands: what is asked for from now on may go by it.
  package mutating func lineOpened(_ id: LineID, to owner: PublicID, now: Instant) {
    lines[owner] = OwnerLine(id: id, heard: now)
  }

  /// Bytes came by a line. `rest`: for so long this member reads nothing more of it, since it comes
  /// faster than is allowed: that is no silence. Complexity: O(1).
  package mutating func lineHeard(
    _ id: LineID, of owner: PublicID, rest: Duration = .zero, now: Instant
  ) {
    if lines[owner]?.id == id { lines[owner]!.heard = now + rest }
  }

  /// A line is gone.
  package mutating func lineClosed(
    _ id: LineID, to owner: PublicID, now: Instant, into actions: inout [FetchAction]
  ) {
    if lines[owner]?.id == id { lines[owner] = nil }
    askAnew(of: owner, by: id, now: now, into: &actions)
  }

  /// A leaf, or why it does not come, came by a line: it is well.
  mutating func noteWell(_ owner: PublicID, _ way: ChunkWay) {
    guard case .line(let id) = way, lines[owner]?.id == id else { return }
    lines[owner]!.restsUntil = nil
    lines[owner]!.stalls = 0
  }

  /// The owner says that others read a version, too, and will have for a while.
  mutating func noteShared(_ version: VersionKey, for time: Duration, now: Instant) {
    guard time > .zero else { return }
    if sharedUntil.count >= Self.sharedVersions {
      sharedUntil = sharedUntil.filter { now < $0.value }
      if sharedUntil.count >= Self.sharedVersions { sharedUntil.removeAll() }
    }
    sharedUntil[version] = now + min(time, Self.sharedLimit)
  }

  /// Versions of which that is remembered.
  private static let sharedVersions = 4_096

  /// Lines by which leaves are due and nothing has come for long: they rest. Complexity: O(flights)
  /// where there are lines.
  mutating func restStalled(now: Instant, into actions: inout [FetchAction]) {
    if lines.isEmpty { return }
    var due: [LineID: (owner: PublicID, since: Instant)] = [:]
    for (key, flight) in flights {
      guard case .asked(let at) = flight.state, case .line(let id) = flight.way else { continue }
      due[id] = (key.owner, min(due[id]?.since ?? at, at))
    }
    for id in due.keys.sorted() {
      let (owner, since) = due[id]!
      // Of one in whose place another has come nothing is heard any more.
      let current = lines[owner].flatMap { $0.id == id ? $0 : nil }
      guard now - max(since, current?.heard ?? since) >= Self.stallsAfter else { continue }
      if current != nil { rest(owner, now: now) }
      askAnew(of: owner, by: id, now: now, into: &actions)
    }
  }

  /// Nothing is asked for by the line to an owner for a while.
  mutating func rest(_ owner: PublicID, now: Instant) {
    guard let line = lines[owner] else { return }
    let rest = Self.firstRest * (1 << min(line.stalls, 5))
    lines[owner]!.restsUntil = now + min(rest, Self.longestRest)
    lines[owner]!.stalls += 1
  }

  /// What was asked for by a line that is no good is asked for in another way.
  private mutating func askAnew(
    of owner: PublicID, by id: LineID, now: Instant, into actions: inout [FetchAction]
  ) {
    let due = flights.filter { key, flight in
      guard key.owner == owner, case .asked = flight.state else { return false }
      return flight.way == .line(id)
    }.keys
    let keys = due.sorted { ($0.content, $0.index) < ($1.content, $1.index) }
    for key in keys {
      // It is looked at again when the hub can be asked.
      flights[key]!.state = .parked
      flights[key]!.way = .hub
      if isHeld(key.file), flights[key]!.waiters.isEmpty { flights[key] = nil }
    }
    ask(keys.filter { flights[$0] != nil }, now: now, into: &actions)
  }
}
