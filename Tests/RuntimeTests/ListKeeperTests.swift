import Core
import Glibc
import Logging
import Protocol
import Runtime
import Sealing
import System
import Testing

/// The list in the state folder: what one process keeps, the next one has, or takes anew.
struct ListKeeperTests {
  private static let secret = [UInt8](repeating: 7, count: ListSeal.secretLength)
  private static let master = Fingerprint([UInt8](repeating: 1, count: Fingerprint.length))!
  private let folder: String
  private let path: String

  init() throws {
    let base = Environment.get("TMPDIR") ?? "/tmp"
    folder = base + "/fsharefs-list-" + String(SecureRandom.uint64(), radix: 16)
    path = folder + "/list"
    try File.makeDirectories(folder, mode: 0o700)
  }

  private func withFolder(_ body: () throws -> Void) rethrows {
    defer {
      for name in ["list", "list.new"] { unlink(folder + "/" + name) }
      rmdir(folder)
    }
    try body()
  }

  private func keeper(
    secret: [UInt8] = secret, at path: String? = nil, lines: Locked<[String]> = Locked([])
  ) -> ListKeeper {
    let log = Logger(label: "test") { _ in RecordingLog(seen: lines) }
    return ListKeeper(path: path ?? self.path, secret: secret, log: log)
  }

  private func load(secret: [UInt8] = secret, master: Fingerprint? = master) -> KeptReplica? {
    keeper(secret: secret).load(master: master)
  }

  /// A member that knows `count` entries of somebody else's.
  private func member(_ count: UInt64) -> Locked<Member> {
    var kept = KeptReplica(of: PublicID(1), hash: ListHash.sha256)
    do {
      for number in 1...count { kept.take(.entry(listed(number))) }
      try kept.reach(Self.reached(ListOrder(epoch: 9, seq: count)))
    } catch { preconditionFailure("it says where it stands: \(error)") }
    var member = Member(isMaster: false, incarnation: 1, hash: ListHash.sha256)
    var actions: [MemberAction] = []
    member.restore(kept, now: .zero, into: &actions)
    return Locked(member)
  }

  private func listed(_ number: UInt64) -> ListedEntry {
    let name = Array("file \(number) \(String(repeating: "n", count: 60))".utf8)
    guard let path = try? SharePath(name) else { preconditionFailure("it is a path") }
    return ListedEntry(
      entry: Entry(
        id: RandomID(high: 1, low: number), path: path, kind: .file,
        version: RandomID(high: 2, low: number), size: number, modified: FileTime(seconds: 5),
        mode: 0o644),
      owner: PublicID(2), claimed: number)
  }

  /// Keeps a list of `count` entries.
  private func keep(_ count: UInt64) throws -> Locked<Member> {
    let member = member(count)
    let keeper = keeper()
    try keeper.start(master: { Self.master }, snapshot: { member.withLock { $0.snapshot } })
    keeper.note(step(number: 0, .renewed, member))
    keeper.stop()
    return member
  }

  private func step(
    number: UInt64, _ effect: ReplicaStep.Effect, _ member: Locked<Member>, seq: UInt64? = nil
  ) -> ReplicaStep {
    let order = member.withLock { $0.replica.order }
    return ReplicaStep(
      number: number, effect: effect,
      reached: Self.reached(ListOrder(epoch: order.epoch, seq: seq ?? order.seq)))
  }

  /// What somebody asks with who has come as far.
  private static func reached(_ order: ListOrder) -> ListQuestion {
    ListQuestion(
      cursor: ListCursor(order: order, offset: 0, began: 0),
      mark: ListMark(seq: order.seq, history: History([UInt8](repeating: 5, count: History.length)))
    )
  }

  @Test func `what was kept is loaded`() throws {
    try withFolder {
      let member = try keep(5_000)
      let loaded = try #require(load())
      #expect(loaded.publicID == PublicID(1))
      #expect(loaded.cursor.order == ListOrder(epoch: 9, seq: 5_000))
      #expect(loaded.replica.list.sorted == member.withLock { $0.replica.list.sorted })
      #expect(try Stat(path: path).permissions == 0o600)
      let bytes = try File.readAll(path, limit: 1 << 30)
      let name = Array("file 77".utf8)
      #expect(!bytes.indices.contains { bytes[$0...].starts(with: name) })
    }
  }

  @Test func `what changes is appended, by the next process too`() throws {
    try withFolder {
      let member = try keep(300)
      for round in 1...3 as ClosedRange<UInt64> {
        let before = try Stat(path: path).size
        let keeper = keeper()
        #expect(keeper.load(master: Self.master)?.replica.list.count == Int(300 + round - 1))
        try keeper.start(master: { Self.master }, snapshot: { nil })
        keeper.note(
          step(number: 1, .changed([.entry(listed(1_000 + round))]), member, seq: 300 + round))
        keeper.stop()
        #expect(try Stat(path: path).size > before)
      }
      let loaded = try #require(load())
      #expect(loaded.replica.list.count == 303)
      #expect(loaded.replica.order.seq == 303)
    }
  }

  @Test func `cut anywhere it is as it was at a cursor, or is taken anew`() throws {
    try withFolder {
      let member = try keep(3)
      let first = try Stat(path: path).size
      for round in 1...2 as ClosedRange<UInt64> {
        let keeper = keeper()
        _ = keeper.load(master: Self.master)
        try keeper.start(master: { Self.master }, snapshot: { nil })
        keeper.note(step(number: 1, .changed([.entry(listed(10 + round))]), member, seq: 3 + round))
        keeper.stop()
      }
      let whole = try File.readAll(path, limit: 1 << 20)
      for length in 0...whole.count {
        try File.writeAtomically(path, Array(whole.prefix(length)), mode: 0o600)
        guard let loaded = load() else {
          #expect(length < first)
          #expect(access(path, F_OK) != 0)
          continue
        }
        #expect(length >= Int(first))
        #expect(loaded.replica.list.count == Int(loaded.replica.order.seq))
        #expect(length < whole.count || loaded.replica.order.seq == 5)
      }
    }
  }

  @Test func `a flipped bit is noticed`() throws {
    try withFolder {
      _ = try keep(3)
      let whole = try File.readAll(path, limit: 1 << 20)
      for index in whole.indices {
        var bytes = whole
        bytes[index] ^= 1 << UInt8(index % 8)
        try File.writeAtomically(path, bytes, mode: 0o600)
        #expect(load() == nil)
      }
    }
  }

  @Test func `of another group, of another device or of another format it is taken anew`() throws {
    try withFolder {
      for attempt in 0..<4 {
        _ = try keep(3)
        switch attempt {
        case 0: #expect(load(master: Fingerprint([UInt8](repeating: 2, count: 32))) == nil)
        case 1: #expect(load(master: nil) == nil)
        case 2: #expect(load(secret: [UInt8](repeating: 8, count: 32)) == nil)
        default:
          var bytes = try File.readAll(path, limit: 1 << 20)
          bytes[11] = 2
          try File.writeAtomically(path, bytes, mode: 0o600)
          #expect(load() == nil)
        }
        #expect(access(path, F_OK) != 0)
      }
    }
  }

  @Test func `who is put out keeps nothing`() throws {
    try withFolder {
      let member = try keep(300)
      let keeper = keeper()
      _ = keeper.load(master: Self.master)
      try keeper.start(master: { Self.master }, snapshot: { nil })
      keeper.note(step(number: 1, .dropped, member))
      keeper.stop()
      #expect(access(path, F_OK) != 0)
    }
  }

  @Test func `what a snapshot was ahead of is not written behind it`() throws {
    try withFolder {
      let member = member(5)
      let keeper = keeper()
      try keeper.start(master: { Self.master }, snapshot: { member.withLock { $0.snapshot } })
      // The member has made no step of its own, so that the snapshot is of step 0.
      keeper.note(step(number: 0, .renewed, member))
      keeper.stop()
      let next = self.keeper()
      _ = next.load(master: Self.master)
      try next.start(master: { Self.master }, snapshot: { nil })
      next.note(
        step(
          number: 0, .changed([.removed(EntryKey(PublicID(1), RandomID(high: 1, low: 1)))]), member)
      )
      next.stop()
      #expect(load()?.replica.list.count == 5)
    }
  }

  @Test func `a disk that fails costs nothing but the copy, and is tried again at the end`() throws
  {
    try withFolder {
      let member = member(5)
      let inner = folder + "/inner"
      let lines = Locked<[String]>([])
      let keeper = keeper(at: inner + "/list", lines: lines)
      try keeper.start(master: { Self.master }, snapshot: { member.withLock { $0.snapshot } })
      keeper.note(step(number: 0, .renewed, member))
      let deadline = MonotonicClock.now + .seconds(20)
      let pause = Monitor(())
      while lines.withLock({ $0.isEmpty }), MonotonicClock.now < deadline {
        _ = pause.wait(timeout: .milliseconds(20)) { _ -> Bool? in nil }
      }
      #expect(lines.withLock { $0.count } == 1)
      try File.makeDirectories(inner, mode: 0o700)
      keeper.stop()
      #expect(access(inner + "/list", F_OK) == 0)
      unlink(inner + "/list")
      rmdir(inner)
    }
  }
}

private struct RecordingLog: LogHandler {
  let seen: Locked<[String]>
  var logLevel = Logger.Level.notice
  var metadata: Logger.Metadata = [:]

  init(seen: Locked<[String]>) { self.seen = seen }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { seen.withLock { $0.append(event.message.description) } }
}
