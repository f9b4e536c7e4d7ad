import DequeModule
package import Protocol

/// Names one READ that waits for its bytes.
package typealias ReadToken = UInt64

/// Names one open file.
package typealias StreamID = UInt64

/// Part of a leaf that answers part of a READ.
package struct LeafSlice: Equatable, Sendable {
  package let leaf: Leaf
  /// Offset in the leaf, and bytes from there.
  package let offset: Int
  package let count: Int
}

/// Why a READ fails.
package enum ReadFailure: Equatable, Sendable {
  case timedOut
  /// The owner left or no longer shares the file.
  case gone
  /// The file is no longer the version that was opened.
  case changed
  case denied
  /// The owner cannot read it, or what came could not be opened.
  case unreadable
  /// Too many reads wait for lost owners and pauses already.
  case tooManyHeld
  /// It waited for a pause to end, and the program that asked has closed the file.
  case abandoned
}

/// What the fetcher wants done.
package enum FetchAction: Equatable, Sendable {
  case request(ChunkRequest)
  case reply(ReadToken, [LeafSlice])
  case fail(ReadToken, ReadFailure)
}

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
    /// Reads that may wait for lost owners and pauses at a time: half of the kernel's background requests.
    package var heldLimit = 128
    package init() {}
  }

  struct Read: Sendable {
    let stream: StreamID
    let content: Content
    let offset: UInt64
    let length: UInt64
    var leaves: [Leaf?]
    var missing: Int
    /// nil while it is paused: then it has `timeLeft`.
    var deadline: Instant?
    var timeLeft: Duration?
  }

  enum FlightState: Equatable, Sendable {
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
  var pausedEntries: Set<EntryID> = []
  /// What came.
  var meter = TransferMeter()

  package init(settings: Settings = Settings()) { self.settings = settings }

  package var cachedBytes: Int { cache.bytes }
  package var budget: Int { settings.budget }
  package var waitingReads: Int { reads.count }
  /// Leaves that were asked for, or wait to be, and have not come.
  package var flightCount: Int { flights.count }

  /// When `tick` is due.
  package var nextDeadline: Instant? {
    guard let first = deadlines.first?.at else { return nextCheck }
    return min(first, nextCheck ?? first)
  }

  var bytesOnTheirWay: Int { flights.count * Limits.leaf }

  /// A file was opened for reading.
  package mutating func open(_ stream: StreamID, _ content: Content) {
    streams[stream] = ReadStream(content)
  }

  /// The file was closed; reads that still wait are answered as before.
  package mutating func close(_ stream: StreamID) { streams[stream] = nil }

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
    let length = min(UInt64(length), content.size - offset)
    let range = content.leaves(offset, length)
    var read = Read(
      stream: stream, content: content, offset: offset, length: length, leaves: [], missing: 0,
      deadline: now + settings.timeout)
    var missing: [LeafKey] = []
    for index in range {
      let leaf = cache.use(content.key(index)).flatMap {
        $0.count == content.length(ofLeaf: index) ? $0 : nil
      }
      read.leaves.append(leaf)
      if leaf == nil { missing.append(content.key(index)) }
    }
    read.missing = missing.count
    var wanted: [LeafKey] = []
    if missing.isEmpty {
      actions.append(.reply(token, slices(of: read)))
    } else if isDenied || deniedOwners.contains(content.owner) {
      actions.append(.fail(token, .denied))
    } else if streams[stream]!.hasJustTimedOut(now: now) {
      actions.append(.fail(token, .timedOut))
    } else if goneOwners.contains(content.owner) {
      actions.append(.fail(token, .gone))
    } else if isHeld(content.owner, content.entry), !mayHoldMore {
      actions.append(.fail(token, .tooManyHeld))
    } else {
      reads[token] = read
      deadlines.append((now + settings.timeout, token))
      if pausedEntries.contains(content.entry) { suspend(token, now: now) }
      for key in missing {
        if flights[key] != nil {
          flights[key]!.waiters.append(token)
        } else {
          flights[key] = Flight(state: .parked, waiters: [token])
          wanted.append(key)
        }
      }
    }
    wanted += ahead(stream, offset: offset, length: length, starved: !missing.isEmpty)
    ask(wanted, now: now, into: &actions)
    cache.shrink(to: max(0, settings.budget - bytesOnTheirWay))
  }

  /// The program no longer waits. Returns: whether the read was still unanswered. The fetch goes on.
  package mutating func cancel(_ token: ReadToken) -> Bool {
    guard let read = reads.removeValue(forKey: token) else { return false }
    forget(token, read)
    return true
  }

  /// Whether reads of this owner's files must wait.
  func isLost(_ owner: PublicID) -> Bool { !linkIsReady || lostOwners.contains(owner) }

  /// Leaves to fetch ahead of a reader, within the budget.
  private mutating func ahead(
    _ stream: StreamID, offset: UInt64, length: UInt64, starved: Bool
  ) -> [LeafKey] {
    guard
      let range = streams[stream]!.read(
        offset: offset, length: length, starved: starved, windowLimit: settings.windowLimit),
      let content = streams[stream]?.content, !isHeld(content.owner, content.entry), !isDenied,
      !deniedOwners.contains(content.owner)
    else { return [] }
    var wanted: [LeafKey] = []
    for index in range {
      let key = content.key(index)
      if flights[key] != nil || cache.contains(key) { continue }
      if bytesOnTheirWay + Limits.leaf > settings.budget / 2 {
        streams[stream]!.shrink()
        break
      }
      flights[key] = Flight(state: .parked, waiters: [])
      wanted.append(key)
    }
    return wanted
  }

  /// Asks for leaves in runs; a second try passes over every cache. Requires: each has a flight.
  mutating func ask(_ keys: [LeafKey], now: Instant, into actions: inout [FetchAction]) {
    var run: ChunkRequest?
    for key in keys where !isHeld(key.owner, key.entry) {
      flights[key]!.state = .asked(at: now)
      flights[key]!.generation = generation
      let pastCache = flights[key]!.isSecondTry
      if let request = run, request.count < Limits.leavesPerRequest,
        request.pastCache == pastCache,
        request.key(request.count - 1).precedes(key.sealed(generation))
      {
        run = ChunkRequest(request.key(0), count: request.count + 1, pastCache: pastCache)
      } else {
        if let request = run { actions.append(.request(request)) }
        run = ChunkRequest(key.sealed(generation), pastCache: pastCache)
      }
    }
    if let request = run { actions.append(.request(request)) }
    if !flights.isEmpty { nextCheck = nextCheck ?? now + settings.patience / 4 }
  }

  func slices(of read: Read) -> [LeafSlice] {
    var slices: [LeafSlice] = []
    var position = read.offset
    let end = read.offset + read.length
    for leaf in read.leaves {
      let offset = Int(position % UInt64(Limits.leaf))
      let count = min(leaf!.count - offset, Int(end - position))
      slices.append(LeafSlice(leaf: leaf!, offset: offset, count: count))
      position += UInt64(count)
    }
    return slices
  }

  /// Takes a read out of the flights that it waits for.
  mutating func forget(_ token: ReadToken, _ read: Read) {
    for index in read.content.leaves(read.offset, read.length) {
      let key = read.content.key(index)
      guard var flight = flights.removeValue(forKey: key) else { continue }
      flight.waiters.removeAll { $0 == token }
      // What was asked for comes all the same; what was not is no longer wanted.
      if case .asked = flight.state {} else if flight.waiters.isEmpty { continue }
      flights[key] = flight
    }
  }
}
