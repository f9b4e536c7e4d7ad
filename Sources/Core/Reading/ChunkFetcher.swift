import DequeModule
import Protocol

/// Turns READs of others' files into chunk requests: single flight, read-ahead, one memory budget,
/// a deadline for every read.
package struct ChunkFetcher: Sendable {
  package struct Settings: Sendable {
    /// Bytes of leaves in memory, on their way included.
    package var budget = 256 << 20
    /// How far ahead of one reader leaves are fetched at most, bytes.
    package var windowLimit: UInt64 = 32 << 20
    /// How long a read may wait.
    package var timeout: Duration = .seconds(30)
    /// How long a leaf may take before it is asked for again.
    package var patience: Duration = .seconds(8)
    /// Reads that may wait for lost owners and pauses at a time: half of the kernel's background
    /// requests.
    package var heldLimit = 128
    /// Open files that are fetched ahead at a time.
    package var aheadLimit = 32
    /// How long leaves stay in memory while no file is open.
    package var idleTime: Duration = .seconds(60)
    /// Whether leaves may lie on this machine's disk.
    package var recalls = false
    package init() {}
  }

  struct Read: Sendable {
    let stream: StreamID
    var content: Content
    let offset: UInt64
    var length: UInt64
    /// The length that was asked for: longer where the file ends before.
    let wanted: UInt64
    /// `log2` of the bytes of the pieces that it waits for.
    let scale: UInt8
    var leaves: [Leaf?]
    var missing: Int
    /// nil while it is paused: then it has `timeLeft`.
    var deadline: Instant?
    var timeLeft: Duration?
  }

  enum FlightState: Equatable, Sendable {
    /// It is looked for on disk.
    case recalling(since: Instant)
    case asked(at: Instant)
    /// The owner, or the hub, cannot be reached.
    case parked
    case postponed(until: Instant)
  }

  struct Flight: Sendable {
    var state: FlightState
    /// Of the group key that it was asked for under: under no other is it taken.
    var generation: UInt32 = 0
    var waiters: [ReadToken]
    /// It came once and could not be opened.
    var isSecondTry = false
    /// How it was asked for.
    var way = ChunkWay.hub
    /// The owner wants the hub to be asked for it, or its line is too slow.
    var staysWithHub = false
  }

  let settings: Settings
  var cache = LeafCache()
  var streams: [StreamID: ReadStream] = [:]
  var reads: [ReadToken: Read] = [:]
  var flights: [LeafKey: Flight] = [:]
  /// In the order of their deadlines, which all lie equally far behind their beginnings.
  var deadlines: Deque<(at: Instant, token: ReadToken)> = []
  var nextCheck: Instant?
  var linkIsReady = false
  /// Whether this member was disapproved: what is not answered yet never will be.
  var isDenied = false
  var lostOwners: Set<PublicID> = []
  /// Those of the lost who are not expected back.
  var goneOwners: Set<PublicID> = []
  /// Those whom the master has put out.
  var deniedOwners: Set<PublicID> = []
  /// Of the group key in use.
  var generation: UInt32 = 0
  /// Files that nothing is fetched of now.
  var pausedEntries: Set<EntryKey> = []
  /// The lines that stand, by whom they lead to.
  var lines: [PublicID: OwnerLine] = [:]
  /// Versions that others read too: until when the hub is asked for them.
  var sharedUntil: [VersionKey: Instant] = [:]
  /// What came.
  var meter = TransferMeter()
  package internal(set) var counts = ReadCounts()
  var rates: [PublicID: DeliveryRate] = [:]
  var slots: AheadSlots
  /// What files have become that have only grown.
  var growth = FileGrowth()
  /// When a file was last read or closed.
  var lastUse: Instant = .zero

  package init(settings: Settings = Settings()) {
    self.settings = settings
    slots = AheadSlots(limit: settings.aheadLimit)
  }

  package var cachedBytes: Int { cache.bytes }
  package var budget: Int { settings.budget }
  package var waitingReads: Int { reads.count }
  /// Leaves that were asked for, or wait to be, and have not come.
  package var flightCount: Int { flights.count }

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    [deadlines.first?.at, nextCheck, idleSince.map { $0 + settings.idleTime }].compactMap { $0 }
      .min()
  }

  /// Since when leaves are in memory that nobody reads; nil: somebody may.
  var idleSince: Instant? { streams.isEmpty && cache.bytes > 0 ? lastUse : nil }

  var bytesOnTheirWay: Int { flights.count * Limits.leaf }

  /// A file was opened for reading.
  package mutating func open(_ stream: StreamID, _ content: Content) {
    streams[stream] = ReadStream(latest(content))
  }

  /// The file was closed; reads that still wait are answered as before.
  package mutating func close(_ stream: StreamID) {
    streams[stream] = nil
    slots.leave(stream)
  }

  /// A READ. It is answered by exactly one `reply` or `fail`, at the latest at its deadline,
  /// unless it is cancelled before.
  package mutating func read(
    _ token: ReadToken, stream: StreamID, offset: UInt64, length: Int, now: Instant,
    into actions: inout [FetchAction]
  ) {
    precondition(reads[token] == nil, "a token names one read")
    guard let content = streams[stream]?.content else {
      actions.append(.fail(token, .changed))
      return
    }
    guard offset < content.size, length > 0 else {
      actions.append(.reply(token, []))
      return
    }
    lastUse = now
    let asked = UInt64(length)
    let length = min(asked, content.size - offset)
    counts.reads += 1
    counts.bytes += length
    var read = begin(stream, content, offset, length, asked, now: now)
    var missing: [LeafKey] = []
    for index in content.pieces(offset, length, scale: read.scale) {
      let key = content.key(index, scale: read.scale)
      let leaf = cache.use(key).flatMap {
        $0.count == content.length(of: index, scale: read.scale) ? $0 : nil
      }
      read.leaves.append(leaf)
      if leaf == nil { missing.append(key) }
    }
    counts.hits += UInt64(read.leaves.count - missing.count)
    counts.misses += UInt64(missing.count)
    read.missing = missing.count
    if missing.isEmpty {
      actions.append(.reply(token, slices(of: read)))
      spend(read)
    } else if let failure = refusal(stream, content, now: now) {
      actions.append(.fail(token, failure))
    } else {
      park(read, token, missing, now: now, into: &actions)
    }
    let wanted = ahead(stream, starved: !missing.isEmpty, now: now)
    seek(wanted, now: now, into: &actions)
    cache.shrink(to: max(0, settings.budget - bytesOnTheirWay))
  }

  /// The read as nothing of it is there yet. A random reader gets by with small pieces, unless the
  /// leaves are there or on their way.
  private mutating func begin(
    _ stream: StreamID, _ content: Content, _ offset: UInt64, _ length: UInt64, _ asked: UInt64,
    now: Instant
  ) -> Read {
    var scale = streams[stream]!.note(offset: offset, length: length)
    if scale < Limits.leafScale,
      content.pieces(offset, length, scale: Limits.leafScale).allSatisfy({
        let key = content.key($0)
        return flights[key] != nil || cache.contains(key)
      })
    {
      scale = Limits.leafScale
    }
    return Read(
      stream: stream, content: content, offset: offset, length: length, wanted: asked, scale: scale,
      leaves: [], missing: 0, deadline: now + settings.timeout)
  }

  /// Why a read of what is not in memory fails at once.
  private func refusal(_ stream: StreamID, _ content: Content, now: Instant) -> ReadFailure? {
    if isDenied || deniedOwners.contains(content.owner) { return .denied }
    if streams[stream]!.hasJustTimedOut(now: now) { return .timedOut }
    if goneOwners.contains(content.owner) { return .gone }
    return isHeld(content.file) && !mayHoldMore ? .tooManyHeld : nil
  }

  /// Lets a read wait, and asks for what it needs, before anything that is only fetched ahead.
  private mutating func park(
    _ read: Read, _ token: ReadToken, _ missing: [LeafKey], now: Instant,
    into actions: inout [FetchAction]
  ) {
    reads[token] = read
    deadlines.append((now + settings.timeout, token))
    if pausedEntries.contains(read.content.file) { suspend(token, now: now) }
    wait(token, for: missing, now: now, into: &actions)
  }

  /// Has a read wait for leaves, and seeks those that nobody has sought.
  mutating func wait(
    _ token: ReadToken, for missing: [LeafKey], now: Instant, into actions: inout [FetchAction]
  ) {
    var wanted: [LeafKey] = []
    for key in missing {
      if flights[key] == nil {
        flights[key] = Flight(state: .parked, waiters: [])
        wanted.append(key)
      }
      flights[key]!.waiters.append(token)
    }
    seek(wanted, now: now, into: &actions)
  }

  /// Leaves that were read to their end may go.
  mutating func spend(_ read: Read) {
    guard read.scale == Limits.leafScale else { return }
    let end = read.offset + read.length
    for index in read.content.pieces(read.offset, read.length, scale: read.scale)
    where end >= min((index + 1) * UInt64(Limits.leaf), read.content.size) {
      cache.spend(read.content.key(index))
    }
  }

  /// The program no longer waits. Returns: whether the read was still unanswered. The fetch goes
  /// on.
  package mutating func cancel(_ token: ReadToken) -> Bool {
    guard let read = reads.removeValue(forKey: token) else { return false }
    forget(token, read)
    return true
  }

  /// Whether reads of this owner's files must wait.
  func isLost(_ owner: PublicID) -> Bool { !linkIsReady || lostOwners.contains(owner) }

  /// Asks for leaves in runs; a second try passes over every cache. Requires: each has a flight.
  mutating func ask(_ keys: [LeafKey], now: Instant, into actions: inout [FetchAction]) {
    var run: (request: ChunkRequest, way: ChunkWay)?
    func flush() {
      switch run {
      case (let request, .hub)?: actions.append(.request(request))
      case (let request, .line(let id))?: actions.append(.requestDirectly(request, by: id))
      case nil: break
      }
    }
    for key in keys where !isHeld(key.file) {
      let pastCache = flights[key]!.isSecondTry
      let way = flights[key]!.staysWithHub ? .hub : way(of: key, now: now)
      flights[key]!.state = .asked(at: now)
      flights[key]!.generation = generation
      flights[key]!.way = way
      if let (request, runWay) = run, request.count < runLimit(key.owner),
        request.pastCache == pastCache, runWay == way,
        request.key(request.count - 1).precedes(key.sealed(generation))
      {
        run!.request = ChunkRequest(request.key(0), count: request.count + 1, pastCache: pastCache)
      } else {
        flush()
        run = (ChunkRequest(key.sealed(generation), pastCache: pastCache), way)
      }
      if way != .hub { checkSoon(Self.stallsAfter / 2, now: now) }
    }
    flush()
    if !flights.isEmpty { nextCheck = nextCheck ?? now + settings.patience / 4 }
  }

  private mutating func checkSoon(_ delay: Duration, now: Instant) {
    nextCheck = min(nextCheck ?? now + delay, now + delay)
  }

  private func runLimit(_ owner: PublicID) -> UInt32 {
    (rates[owner] ?? DeliveryRate(now: .zero)).leavesPerRequest
  }

  func slices(of read: Read) -> [LeafSlice] {
    var slices: [LeafSlice] = []
    var position = read.offset
    let end = read.offset + read.length
    for leaf in read.leaves {
      let offset = Int(position % (1 << UInt64(read.scale)))
      let count = min(leaf!.count - offset, Int(end - position))
      slices.append(LeafSlice(leaf: leaf!, offset: offset, count: count))
      position += UInt64(count)
    }
    return slices
  }

  /// Takes a read out of the flights that it waits for.
  mutating func forget(_ token: ReadToken, _ read: Read) {
    for index in read.content.pieces(read.offset, read.length, scale: read.scale) {
      let key = read.content.key(index, scale: read.scale)
      guard var flight = flights.removeValue(forKey: key) else { continue }
      flight.waiters.removeAll { $0 == token }
      // What was asked for comes all the same; what was not is no longer wanted.
      if case .asked = flight.state {} else if flight.waiters.isEmpty { continue }
      flights[key] = flight
    }
  }
}
