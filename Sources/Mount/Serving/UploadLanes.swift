package import Core
import DequeModule
package import Protocol

/// What the hub asks us to upload, file by file: each file is a lane with one reader at most, so
/// its leaves leave in the order in which they were asked for, and a file whose disk does not
/// answer holds up nothing but itself.
///
/// One reader is enough as long as it gets on: two would only take the processor from each other.
/// Where all are slow another is started; one that is stuck is given up: who waits for its file
/// hears that we are busy, and asks again.
package struct UploadLanes: Sendable {
  package typealias ReaderID = UInt64
  /// A version of a file.
  package typealias Lane = VersionKey

  /// Leaves asked for and not yet read at most: more than a hub's credits can add up to.
  package static let requestLimit = 262_144
  /// Readers that get on at a time.
  package static let readerLimit = 4
  /// Readers that are stuck at a time: each holds a thread for as long as the disk does not answer.
  /// Beyond it no other reader is started until one comes back.
  package static let stuckLimit = 32
  /// The same of one device: more files of a disk that is gone are not tried.
  package static let stuckPerDevice = 4
  /// For so long at one leaf a reader gets on: the disk and the seal of one take well under a
  /// millisecond.
  static let getsOn: Duration = .milliseconds(2)
  /// For so long at one leaf it is stuck. Above what a busy or sleeping disk takes, below what a
  /// program waits for.
  package static let patience: Duration = .seconds(2)
  /// Milliseconds after which whoever wants a leaf of a file that is stuck asks again.
  package static let askAgainAfter: UInt32 = 2_000

  private struct Waiting: Sendable {
    var urgent: Deque<ChunkRequest> = []
    var bulk: Deque<ChunkRequest> = []
    /// Of the file; nil where it is not known.
    var device: UInt64?
    var reader: ReaderID?
    /// Whether it is in `urgentReady`, `bulkReady`.
    var isUrgentReady = false
    var isBulkReady = false
  }

  private struct Reader: Sendable {
    let lane: Lane
    let device: UInt64?
    /// What it is to read still.
    var rest: ChunkRequest
    var leafSince: Instant
    var isStuck = false
  }

  private var lanes: [Lane: Waiting] = [:]
  /// Lanes that nobody reads, in turns: those that a program waits for now before all others.
  private var urgentReady: Deque<Lane> = []
  private var bulkReady: Deque<Lane> = []
  private var readers: [ReaderID: Reader] = [:]
  private var lastReader: ReaderID = 0
  /// Leaves that wait.
  package private(set) var leaves = 0

  package init() {}

  /// Adds a request. `device`: that its file lies on, where it is known. Returns: false where there
  /// is too much, or the file is stuck, or too much of its device.
  package mutating func add(_ request: ChunkRequest, device: UInt64?) -> Bool {
    let lane = request.key(0).content
    guard leaves + Int(request.count) <= Self.requestLimit, !isStuck(lane, device) else {
      return false
    }
    lanes[lane, default: Waiting()].device = device
    append(request, to: lane)
    list(lane)
    return true
  }

  /// Begins a reader, where something waits and those that read do not get on. Returns: it, and
  /// what it reads.
  package mutating func begin(now: Instant) -> (reader: ReaderID, request: ChunkRequest)? {
    if urgentReady.isEmpty, bulkReady.isEmpty { return nil }
    let moving = readers.values.filter { !$0.isStuck }
    guard moving.count < Self.readerLimit, readers.count - moving.count < Self.stuckLimit,
      moving.allSatisfy({ now - $0.leafSince > Self.getsOn }), let (lane, request) = next()
    else { return nil }
    lastReader += 1
    take(request, of: lane, by: lastReader, now: now)
    return (lastReader, request)
  }

  /// A reader has done with its request. `rest`: what it could not read yet, which goes first in
  /// its lane. Returns: what it reads next; nil where it ends, since nothing waits or it is told
  /// to.
  package mutating func goOn(
    _ reader: ReaderID, rest: ChunkRequest? = nil, ends: Bool = false, now: Instant
  ) -> ChunkRequest? {
    guard let lane = readers.removeValue(forKey: reader)?.lane else {
      preconditionFailure("a reader goes on until it ends")
    }
    lanes[lane]?.reader = nil
    if let rest { append(rest, to: lane, asFirst: true) }
    list(lane, asFirst: rest != nil)
    guard !ends, let (lane, request) = next() else { return nil }
    take(request, of: lane, by: reader, now: now)
    return request
  }

  /// A reader begins a leaf, the first of `rest`. Returns: false where it was given up.
  package mutating func begins(_ rest: ChunkRequest, _ reader: ReaderID, now: Instant) -> Bool {
    if isGivenUp(reader) { return false }
    readers[reader]!.rest = rest
    readers[reader]!.leafSince = now
    return true
  }

  /// Whether a reader was given up: nobody waits for what it has any more.
  package func isGivenUp(_ reader: ReaderID) -> Bool { readers[reader]!.isStuck }

  /// Whether a program waits now for what nobody reads: a reader in bulk gives way to that.
  package func givesWay(_ reader: ReaderID) -> Bool {
    guard let reader = readers[reader], !reader.rest.isUrgent else { return false }
    return !urgentReady.isEmpty || lanes[reader.lane]?.urgent.isEmpty == false
  }

  /// When `giveUp` finds something, or another reader may begin.
  package var nextDeadline: Instant? {
    let waits = !urgentReady.isEmpty || !bulkReady.isEmpty
    let moving = readers.values.lazy.filter { !$0.isStuck }.map(\.leafSince)
    let span = waits && moving.count < Self.readerLimit ? Self.getsOn : Self.patience
    return moving.min().map { $0 + span }
  }

  /// Gives up readers that are stuck. Returns: all that waits for their files, which is to be
  /// refused.
  package mutating func giveUp(now: Instant) -> [ChunkRequest] {
    var refused: [ChunkRequest] = []
    for id in readers.keys.sorted() where !readers[id]!.isStuck {
      let reader = readers[id]!
      guard now - reader.leafSince >= Self.patience else { continue }
      readers[id]!.isStuck = true
      refused.append(reader.rest)
      refused += takeWaiting(of: reader.lane)
    }
    return refused
  }

  /// Takes all that waits.
  package mutating func takeAll() -> [ChunkRequest] {
    lanes.keys.sorted().flatMap { takeWaiting(of: $0) }
  }

  // MARK: Private parts

  private func isStuck(_ lane: Lane, _ device: UInt64?) -> Bool {
    if let reader = lanes[lane]?.reader, readers[reader]!.isStuck { return true }
    guard let device else { return false }
    return readers.values.count { $0.isStuck && $0.device == device } >= Self.stuckPerDevice
  }

  private mutating func append(_ request: ChunkRequest, to lane: Lane, asFirst: Bool = false) {
    leaves += Int(request.count)
    func put(_ line: inout Deque<ChunkRequest>) {
      if asFirst { line.prepend(request) } else { line.append(request) }
    }
    if request.isUrgent {
      put(&lanes[lane, default: Waiting()].urgent)
    } else {
      put(&lanes[lane, default: Waiting()].bulk)
    }
  }

  /// Puts a lane into the turns, where something waits in it and nobody reads it; else it may be
  /// forgotten.
  private mutating func list(_ lane: Lane, asFirst: Bool = false) {
    guard let waiting = lanes[lane], waiting.reader == nil else { return }
    if waiting.urgent.isEmpty, waiting.bulk.isEmpty {
      if !waiting.isUrgentReady, !waiting.isBulkReady { lanes[lane] = nil }
      return
    }
    if !waiting.urgent.isEmpty, !waiting.isUrgentReady {
      lanes[lane]!.isUrgentReady = true
      if asFirst { urgentReady.prepend(lane) } else { urgentReady.append(lane) }
    }
    if !waiting.bulk.isEmpty, !waiting.isBulkReady {
      lanes[lane]!.isBulkReady = true
      if asFirst { bulkReady.prepend(lane) } else { bulkReady.append(lane) }
    }
  }

  /// The next request of a lane that nobody reads.
  private mutating func next() -> (Lane, ChunkRequest)? {
    while let lane = urgentReady.popFirst() {
      lanes[lane]!.isUrgentReady = false
      if lanes[lane]!.reader == nil, let request = lanes[lane]!.urgent.popFirst() {
        return (lane, request)
      }
      list(lane)
    }
    while let lane = bulkReady.popFirst() {
      lanes[lane]!.isBulkReady = false
      if lanes[lane]!.reader == nil, let request = lanes[lane]!.bulk.popFirst() {
        return (lane, request)
      }
      list(lane)
    }
    return nil
  }

  private mutating func take(
    _ request: ChunkRequest, of lane: Lane, by reader: ReaderID, now: Instant
  ) {
    leaves -= Int(request.count)
    lanes[lane]!.reader = reader
    readers[reader] = Reader(
      lane: lane, device: lanes[lane]!.device, rest: request, leafSince: now)
  }

  private mutating func takeWaiting(of lane: Lane) -> [ChunkRequest] {
    guard let waiting = lanes[lane] else { return [] }
    let all = Array(waiting.urgent) + Array(waiting.bulk)
    lanes[lane]!.urgent = []
    lanes[lane]!.bulk = []
    leaves -= all.reduce(0) { $0 + Int($1.count) }
    list(lane)
    return all
  }
}
