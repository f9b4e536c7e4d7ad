package import Core
import Glibc
package import Logging
package import Protocol
import Sealing
package import System

/// Others' leaves on disk: bounded, the least recently used out first, there again after a restart,
/// sealed under a secret of this device. Nothing about a version ever changes, so what lies here
/// never needs asking again.
///
/// Reads and writes have threads of their own, so that no read waits behind writes. A leaf that is
/// not there in any way, damage included, is fetched as if there were no cache; a disk that fails
/// is logged once, left alone for a while, and nobody's error.
package final class DiskCache: Sendable {
  struct State {
    var index: CacheIndex
    var waitingBytes = 0
    var waitingLeaves = 0
    /// Until when nothing is written: the disk is full or broken.
    var restsUntil: Instant?
    /// Why the disk did not take the last leaf.
    var fault: SystemError?

    mutating func noLongerWaits(_ bytes: Int) {
      waitingBytes -= bytes
      waitingLeaves -= 1
    }
  }

  /// Bytes and leaves that wait to be written at most; what comes beyond is not kept.
  private static let waitingBytes = 32 << 20
  private static let waitingLeaves = 4_096
  /// How long a disk that failed is left alone.
  private static let rest: Duration = .seconds(60)
  /// How often the log is told.
  private static let complaintEvery: Duration = .seconds(3_600)
  /// Bytes that a full disk gets back.
  private static let givenBack = 64 << 20
  /// Leaves that one thread reads before another may take over.
  private static let leavesPerTurn = 8
  /// Closures that may wait: more than the fetcher has leaves under way, and the writer leaves
  /// waiting.
  private static let queue = 65_536

  let folder: CacheFolder
  private let lock: Locked<OwnedDescriptor?>
  private let seal: CacheSeal
  /// Bytes on the disk at most.
  package let limit: Int
  private let budget: LogBudget
  let state: Locked<State>
  private let readers: WorkerPool
  let writer: WorkerPool

  /// Opens the cache in a folder that is there; its sizes are looked at later, on a thread of its
  /// own. `secret`: `DiskCache.secretLength` random bytes, the same at each start. Throws
  /// EWOULDBLOCK where another process uses the folder.
  package init(path: String, limit: Int, secret: [UInt8], log: Logger) throws(SystemError) {
    guard let seal = CacheSeal(secret: secret) else {
      preconditionFailure("the secret of a cache has its one length")
    }
    self.seal = seal
    self.limit = limit
    budget = LogBudget(log, lines: 1, span: Self.complaintEvery)
    lock = Locked(try File.lock(path + "/lock"))
    let folder = try CacheFolder(path: path)
    self.folder = folder
    let found = try folder.segments()
    let state = Locked(State(index: CacheIndex(found)))
    self.state = state
    readers = try WorkerPool(name: "cache-read", threads: 2, queueLimit: Self.queue)
    writer = try WorkerPool(name: "cache-write", threads: 1, queueLimit: Self.queue)
    // The writer's first work: everything that is written comes behind it.
    _ = writer.submit {
      let sizes = folder.survey(found)
      let surplus = state.withLock { state in
        state.index.surveyed(sizes)
        return state.index.shrink(to: limit, but: nil)
      }
      for segment in surplus { folder.remove(segment) }
    }
  }

  /// Bytes of the secret.
  package static let secretLength = CacheSeal.secretLength

  /// Bytes on the disk. Any thread.
  package var bytes: Int { state.withLock { $0.index.bytes } }

  /// Does what is queued, ends the threads and lets go of the folder.
  package func stop() {
    readers.stop()
    writer.stop()
    lock.withLock { $0 = nil }
  }

  /// Leaves of a version on the disk: of what was not looked into since the start, as many as its
  /// bytes would hold. Any thread. Complexity: O(segments of the version).
  func leaves(of content: Content) -> UInt64 {
    let segments = (content.size / UInt64(Limits.leaf) + 1) / UInt64(CacheSegment.leaves) + 1
    return state.withLock { state in
      (0..<segments).reduce(0) { $0 + state.index.leaves(in: CacheSegment($1, of: content)) }
    }
  }

  // MARK: Reading

  /// Looks for leaves, or pieces of leaves. Each is either found or absent; what is certainly not
  /// there is said before this returns, the rest by threads of the cache. Any thread; does not
  /// block.
  package func recall(
    _ keys: [LeafKey], found: @escaping @Sendable (LeafKey, Leaf) -> Void,
    absent: @escaping @Sendable ([LeafKey]) -> Void
  ) {
    var missing: [LeafKey] = []
    var turns: [(segment: CacheSegment, keys: [LeafKey])] = []
    state.withLock { state in
      for key in keys {
        let whole = Self.whole(key)
        let segment = CacheSegment(of: whole)
        guard state.index.mayHave(segment, slot: CacheSegment.slot(of: whole)) else {
          missing.append(key)
          continue
        }
        // What is not known is looked at in one go, so that it is asked for in one go.
        let isFull =
          turns.last.map {
            $0.keys.count >= Self.leavesPerTurn && state.index.isKnown(segment)
          } ?? true
        if let last = turns.last, last.segment == segment, !isFull {
          turns[turns.count - 1].keys.append(key)
        } else {
          turns.append((segment, [key]))
        }
      }
    }
    for turn in turns {
      let isAccepted = readers.submit { [self] in
        let absentees = read(turn.keys, in: turn.segment, found: found)
        if !absentees.isEmpty { absent(absentees) }
      }
      if !isAccepted { missing += turn.keys }
    }
    if !missing.isEmpty { absent(missing) }
  }

  /// Reads leaves of one segment. Returns: those that are not there.
  private func read(
    _ keys: [LeafKey], in segment: CacheSegment, found: (LeafKey, Leaf) -> Void
  ) -> [LeafKey] {
    var missing = keys
    do throws(SystemError) {
      let file = try folder.open(segment)
      let lengths = try folder.lengths(file)
      let isDue = state.withLock { state in
        state.index.learn(segment, slots: Self.slots(lengths))
        return state.index.use(segment, now: MonotonicClock.now)
      }
      if isDue { folder.mark(file) }
      missing = []
      for key in keys {
        if let leaf = leaf(key, file, lengths) { found(key, leaf) } else { missing.append(key) }
      }
    } catch {
      // A folder that somebody has emptied is no fault.
      if error.code != ENOENT { complain(error) }
      state.withLock { $0.index.remove(segment) }
    }
    return missing
  }

  /// A leaf, or a piece of one, if it is there and right.
  private func leaf(_ key: LeafKey, _ file: OwnedDescriptor, _ lengths: [Int]) -> Leaf? {
    let whole = Self.whole(key)
    let slot = CacheSegment.slot(of: whole)
    guard (1...Limits.leaf).contains(lengths[slot]) else { return nil }
    guard let leaf = opened(whole, file, length: lengths[slot]) else {
      state.withLock { $0.index.lost(CacheSegment(of: whole), slot: slot) }
      return nil
    }
    if key.scale == Limits.leafScale { return leaf }
    let start = Int(key.index << UInt64(key.scale)) % Limits.leaf
    guard start < leaf.count else { return nil }
    let count = min(1 << Int(key.scale), leaf.count - start)
    return Array(leaf[start...].prefix(count))
  }

  private func opened(_ leaf: LeafKey, _ file: OwnedDescriptor, length: Int) -> [UInt8]? {
    do throws(SystemError) {
      let slot = CacheSegment.slot(of: leaf)
      return seal.open(try folder.sealed(file, slot: slot, leaf: length), leaf)
    } catch {
      complain(error)
      return nil
    }
  }

  // MARK: Writing

  /// Keeps a leaf that came, if there is time for it. Pieces of leaves are not kept. Any thread;
  /// does not block.
  package func keep(_ key: LeafKey, _ leaf: Leaf) {
    guard key.scale == Limits.leafScale, leaf.count > 0 else { return }
    let isWanted = state.withLock { state -> Bool in
      guard state.waitingBytes + leaf.count <= Self.waitingBytes,
        state.waitingLeaves < Self.waitingLeaves,
        state.restsUntil.map({ MonotonicClock.now >= $0 }) ?? true
      else { return false }
      state.waitingBytes += leaf.count
      state.waitingLeaves += 1
      return true
    }
    guard isWanted else { return }
    let isAccepted = writer.submit { [self] in
      write(key, leaf)
      state.withLock { $0.noLongerWaits(leaf.count) }
    }
    if !isAccepted { state.withLock { $0.noLongerWaits(leaf.count) } }
  }

  /// Deletes what is an owner's, or everything: nil. What is kept before this call does not come
  /// back. Any thread; does not block.
  package func forget(_ owner: PublicID?) {
    _ = writer.submit { [self] in
      for segment in state.withLock({ $0.index.take(of: owner) }) { folder.remove(segment) }
    }
  }

  /// On the writer's thread.
  private func write(_ key: LeafKey, _ leaf: Leaf) {
    // What was queued before the disk failed.
    if state.withLock({ $0.restsUntil.map { MonotonicClock.now < $0 } ?? false }) { return }
    let segment = CacheSegment(of: key)
    let slot = CacheSegment.slot(of: key)
    let need = CacheSegment.cost(of: leaf.count) + CacheSegment.headLength
    for old in state.withLock({ $0.index.shrink(to: limit - need, but: segment) }) {
      folder.remove(old)
    }
    // What is kept takes all there is.
    guard state.withLock({ $0.index.bytes + need <= limit }) else { return }
    do throws(SystemError) {
      let file = try folder.openForWriting(segment)
      if !state.withLock({ $0.index.isKnown(segment) }) {
        let slots = Self.slots(try folder.lengths(file))
        state.withLock { $0.index.learn(segment, slots: slots) }
      }
      try folder.write(file, slot: slot, sealed: seal.seal(leaf, key))
    } catch { return failed(error) }
    state.withLock { state in
      state.index.wrote(segment, slot: slot, leaf: leaf.count, now: MonotonicClock.now)
      state.restsUntil = nil
      state.fault = nil
    }
  }

  /// The disk is full or broken. A full one gets something back: others need it more.
  private func failed(_ error: SystemError) {
    complain(error)
    let surplus = state.withLock { state -> [CacheSegment] in
      state.restsUntil = MonotonicClock.now + Self.rest
      state.fault = error
      guard error.code == ENOSPC || error.code == EDQUOT else { return [] }
      return state.index.shrink(to: max(0, state.index.bytes - Self.givenBack), but: nil)
    }
    for segment in surplus { folder.remove(segment) }
  }

  func complain(_ error: SystemError) {
    budget.log(
      .warning, "the disk cache", "the disk cache does not work, reads go on without it: \(error)")
  }

  // MARK: Places

  /// The leaf that a piece is part of.
  private static func whole(_ key: LeafKey) -> LeafKey {
    LeafKey(
      owner: key.owner, entry: key.entry, version: key.version, scale: Limits.leafScale,
      generation: 0, index: key.index >> UInt64(Limits.leafScale - key.scale))
  }

  static func slots(_ lengths: [Int]) -> UInt64 {
    lengths.indices.reduce(0) { lengths[$1] > 0 ? $0 | 1 << UInt64($1) : $0 }
  }
}
