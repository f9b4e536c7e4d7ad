package import Core
import DequeModule
package import Protocol

/// What we are asked to upload, file by file and way by way: each file that goes by one way is a
/// lane with one reader at most, so its leaves leave in the order in which they were asked for, and
/// a file whose disk does not answer, or a reader that takes nothing, holds up nothing but itself.
///
/// One reader is enough as long as it gets on: two would only take the processor from each other.
/// Where all are slow another is started; one that is stuck is given up: who waits for its file
/// hears that we are busy, and asks again.
package struct UploadLanes: Sendable {
  package typealias ReaderID = UInt64
  /// A version of a file, for those who get it by one way.
  package struct Lane: Hashable, Comparable, Sendable {
    package let content: VersionKey
    package let way: ChunkWay

    package static func < (a: Lane, b: Lane) -> Bool {
      (a.content, a.way.number) < (b.content, b.way.number)
    }
  }

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
    var urgent: Deque<Upload> = []
    var bulk: Deque<Upload> = []
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
    var rest: Upload
    var leafSince: Instant
    var isStuck = false
  }

  private var lanes: [Lane: Waiting] = [:]
  /// Lanes that nobody reads, in turns: those that a program waits for now before all others.
  private var urgentReady: Deque<Lane> = []
  private var bulkReady: Deque<Lane> = []
  private var readers: [ReaderID: Reader] = [:]
  /// Ways whose streams take nothing more for now.
  private var full: Set<ChunkWay> = []
  private var lastReader: ReaderID = 0
  /// Leaves that wait.
  package private(set) var leaves = 0

  package init() {}

  /// Adds a request. `device`: that its file lies on, where it is known. Returns: false where there
  /// is too much, or the file is stuck, or too much of its device.
  package mutating func add(_ request: Upload, device: UInt64?) -> Bool {
    let lane = request.lane
    guard leaves + Int(request.run.count) <= Self.requestLimit, !isStuck(lane, device) else {
      return false
    }
    lanes[lane, default: Waiting()].device = device
    append(request, to: lane)
    list(lane)
    return true
  }

  /// Begins a reader, where something waits and those that read do not get on. Returns: it, and
  /// what it reads.
  package mutating func begin(now: Instant) -> (reader: ReaderID, request: Upload)? {
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
    _ reader: ReaderID, rest: Upload? = nil, ends: Bool = false, now: Instant
  ) -> Upload? {
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
  package mutating func begins(_ rest: Upload, _ reader: ReaderID, now: Instant) -> Bool {
    if isGivenUp(reader) { return false }
    readers[reader]!.rest = rest
    readers[reader]!.leafSince = now
    return true
  }

  /// Whether a reader was given up: nobody waits for what it has any more.
  package func isGivenUp(_ reader: ReaderID) -> Bool { readers[reader]!.isStuck }

  /// Whether a program waits now for what nobody reads: a reader in bulk gives way to that.
  package func givesWay(_ reader: ReaderID) -> Bool {
    guard let reader = readers[reader], !reader.rest.run.isUrgent else { return false }
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
  package mutating func giveUp(now: Instant) -> [Upload] {
    var refused: [Upload] = []
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
  package mutating func takeAll() -> [Upload] {
    lanes.keys.sorted().flatMap { takeWaiting(of: $0) }
  }

  /// The stream of a way takes nothing more for now, or does again: what waits for it is passed
  /// over meanwhile.
  package mutating func setFull(_ way: ChunkWay, _ isFull: Bool) {
    guard isFull != full.contains(way) else { return }
    if isFull {
      full.insert(way)
      urgentReady.removeAll { $0.way == way }
      bulkReady.removeAll { $0.way == way }
      for lane in lanes.keys where lane.way == way {
        lanes[lane]!.isUrgentReady = false
        lanes[lane]!.isBulkReady = false
      }
    } else {
      full.remove(way)
      for lane in lanes.keys.filter({ $0.way == way }).sorted() { list(lane) }
    }
  }

  /// Nobody waits any more for what was to go by a way.
  package mutating func drop(_ way: ChunkWay) {
    setFull(way, false)
    for lane in lanes.keys.filter({ $0.way == way }) { _ = takeWaiting(of: lane) }
  }

  // MARK: Private parts

  private func isStuck(_ lane: Lane, _ device: UInt64?) -> Bool {
    if readers.values.contains(where: { $0.isStuck && $0.lane.content == lane.content }) {
      return true
    }
    guard let device else { return false }
    return readers.values.count { $0.isStuck && $0.device == device } >= Self.stuckPerDevice
  }

  private mutating func append(_ request: Upload, to lane: Lane, asFirst: Bool = false) {
    leaves += Int(request.run.count)
    func put(_ line: inout Deque<Upload>) {
      if asFirst { line.prepend(request) } else { line.append(request) }
    }
    if request.run.isUrgent {
      put(&lanes[lane, default: Waiting()].urgent)
    } else {
      put(&lanes[lane, default: Waiting()].bulk)
    }
  }

  /// Puts a lane into the turns, where something waits in it and nobody reads it; else it may be
  /// forgotten.
  private mutating func list(_ lane: Lane, asFirst: Bool = false) {
    guard let waiting = lanes[lane], waiting.reader == nil, !full.contains(lane.way) else {
      return
    }
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
  private mutating func next() -> (Lane, Upload)? {
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
    _ request: Upload, of lane: Lane, by reader: ReaderID, now: Instant
  ) {
    leaves -= Int(request.run.count)
    lanes[lane]!.reader = reader
    readers[reader] = Reader(
      lane: lane, device: lanes[lane]!.device, rest: request, leafSince: now)
  }

  private mutating func takeWaiting(of lane: Lane) -> [Upload] {
    guard let waiting = lanes[lane] else { return [] }
    let all = Array(waiting.urgent) + Array(waiting.bulk)
    lanes[lane]!.urgent = []
    lanes[lane]!.bulk = []
    leaves -= all.reduce(0) { $0 + Int($1.run.count) }
    list(lane)
    return all
  }
}
