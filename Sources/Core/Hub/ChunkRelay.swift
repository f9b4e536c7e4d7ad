import Protocol

/// The hub's part in reading: joins askers of the same leaf, asks its owner once, keeps what came
/// for a while.
///
/// Each asker has a credit: leaves asked of owners for it and not yet taken by its downward stream.
/// Nothing is asked beyond it, so no queue grows, a slow asker delays nobody, and owners are never
/// stopped. An owner that does not give what it was asked for delays nothing of others.
package struct ChunkRelay: Sendable {
  package struct Settings: Sendable {
    /// How long a leaf stays at hand after it came.
    package var lifetime: Duration = .seconds(60)
    /// Bytes of leaves at hand at most.
    package var cacheLimit = 128 << 20
    /// Bytes on their way to one asker at most: bandwidth × round trip of a fast distant path.
    package var credit = 16 << 20
    /// The same beyond `credit` for what a program waits for now, bytes.
    package var urgentCredit = 1 << 20
    /// Leaves that one asker may have asked for at a time.
    package var wantedLimit = 4_096
    /// How long an owner may take for a leaf before its askers hear `busy`.
    package var patience: Duration = .seconds(20)
    package init() {}

    /// Bytes on their way to one asker whose credit is used up by owners that give nothing.
    package var limit: Int { credit + credit / 2 + urgentCredit }
  }

  /// A leaf that its owner was asked for.
  struct Flight {
    let owner: SessionID
    var askers: [SessionID]
    let askedAt: Instant
    /// Leaves at hand are passed over: somebody could not open one.
    let pastCache: Bool
  }

  /// A leaf that somebody asked for and that waits for credit.
  struct Want {
    let key: LeafKey
    /// nil where the owner could not be asked, but the leaf was at hand.
    let owner: SessionID?
    let pastCache: Bool
  }

  /// A session that reads.
  struct Asker {
    var wanted = WantQueue()
    /// Whether its downward stream is open.
    var canTake = false
    /// Bytes asked of owners for it, or queued on its stream.
    var inFlight = 0
    /// Of that, what each owner was asked for and has not given.
    private(set) var owed: [SessionID: Int] = [:]
    /// Its credit was used up, and less than an eighth of it is free again: were more asked for in
    /// bulk now, it would be one leaf for each that was taken, and its owner could not tell it from
    /// what a program waits for.
    private var isExhausted = false

    /// What may be asked for next; in bulk only within the credit.
    mutating func next(_ settings: Settings) -> Want? {
      let credit = settings.credit
      if inFlight >= credit {
        isExhausted = true
      } else if inFlight <= credit - credit / 8 {
        isExhausted = false
      }
      let mayHaveBulk = !isExhausted
      let mayHaveUrgent = inFlight < credit + settings.urgentCredit
      // Apart from the call, which changes the queue.
      let (owed, room) = (owed, settings.limit - inFlight)
      let debts = owed.values.reduce(0, +)
      return wanted.popFirst { want, isUrgent in
        if isUrgent ? mayHaveUrgent : mayHaveBulk { return true }
        // Where owners that give nothing have used up the credit, others are asked all the same,
        // each for a part of what is left, so that something is left for the next.
        guard let owner = want.owner else { return false }
        let owes = owed[owner] ?? 0
        let others = debts - owes
        return others > 0 && others >= credit - credit / 4 && owes < room / 2
      }
    }

    /// An owner was asked for so many bytes more, or less.
    mutating func owe(_ bytes: Int, by owner: SessionID) {
      let owes = (owed[owner] ?? 0) + bytes
      owed[owner] = owes > 0 ? owes : nil
    }
  }

  private(set) var settings: Settings
  /// Leaves that askers got from what was at hand, and such as owners were asked for, ever.
  private(set) var hits: UInt64 = 0
  private(set) var misses: UInt64 = 0
  var askers: [SessionID: Asker] = [:]
  var flights: [LeafKey: Flight] = [:]
  var cache: LeafStore
  private var nextCheck: Instant?
  /// Leaves of older generations of the group key are neither kept nor asked for.
  var generation: UInt32
  /// Sessions whose credit came free by a failure: the next tick goes on serving them.
  var freed: Set<SessionID> = []

  package init(settings: Settings, generation: UInt32) {
    self.settings = settings
    self.generation = generation
    cache = LeafStore(lifetime: settings.lifetime, limit: settings.cacheLimit)
  }

  /// Goes on with other settings.
  mutating func use(_ settings: Settings) {
    self.settings = settings
    cache.use(lifetime: settings.lifetime, limit: settings.cacheLimit)
  }

  /// When `tick` is due; zero: at once.
  package var nextDeadline: Instant? {
    if !freed.isEmpty { return .zero }
    guard let check = nextCheck else { return cache.nextExpiry }
    return min(check, cache.nextExpiry ?? check)
  }

  /// Bytes of leaves at hand.
  package var cachedBytes: Int { cache.bytes }

  /// REQUEST_CHUNK. `refusal`: why the owner cannot be asked now; leaves at hand are sent all the
  /// same, unless the asker has no right to them.
  mutating func requested(
    _ request: ChunkRequest, from session: SessionID, owner: SessionID?,
    refusal: ChunkFailureReason?, now: Instant, into actions: inout [HubAction]
  ) {
    if refusal == .denied {
      fail(request, .denied, to: session, into: &actions)
      return
    }
    if request.generation < generation {
      fail(request, .stale, to: session, into: &actions)
      return
    }
    // Nobody seals and uploads what cannot be taken.
    if askers[session]?.canTake != true {
      fail(request, .busy, to: session, into: &actions)
      return
    }
    if askers[session, default: Asker()].wanted.count + Int(request.count) > settings.wantedLimit {
      fail(request, .busy, to: session, into: &actions)
      return
    }
    var refused: ChunkRequest?
    for offset in 0..<request.count {
      let key = request.key(offset)
      if let refusal, request.pastCache || cache[key] == nil {
        // Said at once: had it to wait, the owner might be back by then and the word be stale.
        refused = ChunkRequest(refused?.key(0) ?? key, count: (refused?.count ?? 0) + 1)
        if offset + 1 < request.count, request.pastCache || cache[request.key(offset + 1)] == nil {
          continue
        }
        fail(refused!, refusal, to: session, into: &actions)
        refused = nil
      } else {
        askers[session, default: Asker()].wanted.append(
          Want(key: key, owner: owner, pastCache: request.pastCache),
          isUrgent: request.isUrgent)
      }
    }
    pump(session, now: now, into: &actions)
  }

  /// The downward stream of a session is open.
  mutating func opened(_ session: SessionID) { askers[session, default: Asker()].canTake = true }

  /// A leaf came from its owner. One that nobody asked for is dropped.
  mutating func arrived(
    _ frame: [UInt8], key: LeafKey, now: Instant, into actions: inout [HubAction]
  ) {
    guard let flight = flights.removeValue(forKey: key) else { return }
    cache.insert(frame, for: key, now: now)
    let reserved = Self.reservation(key)
    for session in flight.askers {
      askers[session]?.inFlight += frame.count - reserved
      askers[session]?.owe(-reserved, by: flight.owner)
      actions.append(.frame(frame, to: session))
    }
  }

  /// A downward stream took bytes: more may be asked for it.
  mutating func drained(
    bytes: Int, session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard askers[session] != nil else { return }
    askers[session]!.inFlight = max(0, askers[session]!.inFlight - bytes)
    pump(session, now: now, into: &actions)
  }

  /// A session ended: it asks for nothing any more.
  mutating func sessionClosed(_ session: SessionID, into actions: inout [HubAction]) {
    guard askers.removeValue(forKey: session) != nil else { return }
    freed.remove(session)
    for key in flights.keys where flights[key]!.askers.contains(session) {
      // The leaf itself is not called back: it is on its way and another may want it.
      flights[key]!.askers.removeAll { $0 == session }
    }
  }

  /// Time has passed: old leaves go, late ones are given up.
  mutating func tick(now: Instant, into actions: inout [HubAction]) {
    cache.expire(now: now)
    giveUpLate(now: now, into: &actions)
    // Behind what was given up: that frees credit, too.
    let waiting = freed.sorted()
    freed = []
    for session in waiting { pump(session, now: now, into: &actions) }
  }

  private mutating func giveUpLate(now: Instant, into actions: inout [HubAction]) {
    guard let check = nextCheck, now >= check else { return }
    let late = flights.filter { now >= $0.value.askedAt + settings.patience }.map(\.key)
      .sorted { ($0.content, $0.index) < ($1.content, $1.index) }
    for key in late {
      let flight = flights.removeValue(forKey: key)!
      tell(flight, key, .busy, retryAfter: 1_000, into: &actions)
    }
    nextCheck = flights.isEmpty ? nil : now + settings.patience / 4
  }

  /// Serves what `session` wants as far as its credit goes, asking each owner for whole runs.
  private mutating func pump(
    _ session: SessionID, now: Instant, into actions: inout [HubAction]
  ) {
    guard var asker = askers.removeValue(forKey: session) else { return }
    var run: (request: ChunkRequest, owner: SessionID)?
    func flush() {
      guard let (request, owner) = run else { return }
      actions.append(.send(.uploadChunkRequest(request), to: [owner]))
      run = nil
    }
    while let want = asker.next(settings) {
      if !want.pastCache, let frame = cache[want.key] {
        hits += 1
        asker.inFlight += frame.count
        actions.append(.frame(frame, to: session))
        continue
      }
      guard let owner = want.owner else {
        // It was at hand when it was asked for: asked again, it is judged anew.
        fail(ChunkRequest(want.key), .busy, to: session, into: &actions)
        continue
      }
      guard takeOff(want, owner, for: session, &asker, now: now) else { continue }
      misses += 1
      if let (request, runOwner) = run, request.count < Limits.leavesPerRequest, runOwner == owner,
        request.pastCache == want.pastCache, request.key(request.count - 1).precedes(want.key)
      {
        run!.request = ChunkRequest(
          request.key(0), count: request.count + 1, pastCache: want.pastCache)
      } else {
        flush()
        run = (ChunkRequest(want.key, pastCache: want.pastCache), owner)
      }
    }
    flush()
    askers[session] = asker
  }

  /// Joins the flight of a leaf or begins one. Returns: whether the owner must be asked for it.
  private mutating func takeOff(
    _ want: Want, _ owner: SessionID, for session: SessionID, _ asker: inout Asker, now: Instant
  ) -> Bool {
    let before = flights[want.key]
    let joins = before.map { $0.owner == owner && ($0.pastCache || !want.pastCache) }
    let reserved = Self.reservation(want.key)
    var others = before?.askers ?? []
    if let before, before.owner != owner {
      // Its owner has another connection: that one owes it now.
      for other in others {
        askers[other]?.owe(-reserved, by: before.owner)
        askers[other]?.owe(reserved, by: owner)
      }
      if others.contains(session) {
        asker.owe(-reserved, by: before.owner)
        asker.owe(reserved, by: owner)
      }
    }
    if !others.contains(session) {
      others.append(session)
      asker.inFlight += reserved
      asker.owe(reserved, by: owner)
    }
    if joins == true {
      flights[want.key]!.askers = others
      return false
    }
    flights[want.key] = Flight(
      owner: owner, askers: others, askedAt: now, pastCache: want.pastCache)
    nextCheck = nextCheck ?? now + settings.patience / 4
    return true
  }

  /// Bytes reserved for a leaf before its true length is known.
  static func reservation(_ key: LeafKey) -> Int {
    BulkFrame.payloadOffset + (1 << Int(key.scale)) + Limits.sealOverhead
  }
}
