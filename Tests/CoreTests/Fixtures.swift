import Core
import Protocol
import Simulation
import Testing

/// The path `text`, which must be one.
func path(_ text: String) -> SharePath {
  do { return try SharePath(Array(text.utf8)) } catch {
    preconditionFailure("\(text) is no path: \(error)")
  }
}

/// The device name `text`, which must be one.
func deviceName(_ text: String) -> DeviceName {
  guard let name = DeviceName(text) else { preconditionFailure("\(text) is no device name") }
  return name
}

/// An id that a test can name.
func id(_ number: UInt64) -> RandomID { RandomID(high: 1, low: number) }

/// An entry with the version 1000 + `number`, unless said otherwise.
func entry(
  _ number: UInt64, _ text: String, _ kind: EntryKind = .file, version: UInt64? = nil,
  size: UInt64 = 10
) -> Entry {
  Entry(
    id: id(number), path: path(text), kind: kind,
    version: kind == .directory ? .zero : id(version ?? 1_000 + number),
    size: kind == .directory ? 0 : size, modified: FileTime(seconds: 0), mode: 0o644,
    target: kind == .symlink ? [0x78] : [])
}

func key(_ number: UInt8) -> DeviceKey {
  let half = [UInt8](repeating: number, count: DeviceKey.partLength)
  return DeviceKey(signing: half, agreement: half)
}

func register(_ number: UInt8, incarnation: Incarnation = 1) -> Register {
  Register(
    key: key(number), incarnation: incarnation, name: deviceName("device \(number)"),
    system: "test", claim: [], proof: [UInt8](repeating: 0, count: Register.proofLength))
}

func client(
  _ number: UInt8, _ admission: Admission, _ presence: Presence = .online,
  generation: UInt32 = 0, reached: UInt32 = 0
) -> ClientRecord {
  ClientRecord(
    publicID: PublicID(UInt32(number)), key: key(number), name: deviceName("device \(number)"),
    system: "test", generation: generation, reached: reached, admission: admission,
    presence: presence)
}

/// What was decided about a client, under the first generation unless said otherwise.
func member(
  _ number: UInt8, _ admission: Admission, generation: UInt32 = 1
) -> MemberRecord {
  MemberRecord(
    publicID: PublicID(UInt32(number)), name: deviceName("device \(number)"),
    admission: admission, key: key(number), generation: generation
  ).signed(by: admission == .waiting ? { _ in [] } : SimulatedSignature.sign)
}

extension Replica {
  init(order: ListOrder) { self.init(order: order, hash: SimulatedHash.hash) }
}

extension Member {
  init(isMaster: Bool, incarnation: Incarnation) {
    self.init(isMaster: isMaster, incarnation: incarnation, hash: SimulatedHash.hash)
  }
}

/// The master's word on a place in the list; each `beat` is later than those of lower numbers.
func head(_ order: ListOrder, _ history: History, beat: UInt64 = 1) -> HeadProof {
  HeadProof(
    order: order, history: history, beat: TransferID(incarnation: 1, counter: beat),
    version: ProtocolVersions.spoken.highest, signedBy: SimulatedSignature.sign)
}

extension Member {
  /// Hears a message, and behind a change the master's word on it.
  mutating func hear(_ message: Message, now: Instant, into actions: inout [MemberAction]) {
    received(message, now: now, into: &actions)
    if let ordered = try? OrderedChange.decode(message) {
      proven(head(ordered.order, ordered.history), now: now, into: &actions)
    }
  }
}

extension Master {
  /// A master whose second epoch, should it need one, is 99.
  init(
    epoch: UInt64, vault: MasterVault = MasterVault(), settings: Settings = Settings(),
    isRebuilt: Bool = false
  ) {
    self.init(
      epoch: epoch, spareEpoch: 99, vault: vault, settings: settings, isRebuilt: isRebuilt,
      hash: SimulatedHash.hash, signer: SimulatedSignature.signer)
  }

  /// A master with what `replica` has, in a new epoch.
  init(epoch: UInt64, survivor replica: Replica) {
    self.init(epoch: replica.order.epoch)
    restore(all: replica)
    beginEpoch(epoch)
  }

  /// Takes a journal's snapshot of `replica`.
  mutating func restore(all replica: Replica) {
    for publicID in replica.members.keys.sorted() {
      restore(.member(replica.members[publicID]!), order: replica.order, history: replica.history)
    }
    for listed in replica.list.sorted {
      restore(.entry(listed), order: replica.order, history: replica.history)
    }
  }
}

extension ListQuestion {
  /// Of somebody who has seen nothing.
  static let start = ListQuestion(cursor: .start, mark: .none)
}

let alice = PublicID(1)
let bob = PublicID(2)

/// A list in the making: every change takes the next place in epoch 1.
struct Author {
  var replica: Replica
  var log: ChangeLog

  init(tombstoneLimit: Int = 65_536, epoch: UInt64 = 1) {
    replica = Replica(order: ListOrder(epoch: epoch, seq: 0))
    log = ChangeLog(tombstoneLimit: tombstoneLimit)
  }

  @discardableResult
  mutating func order(_ change: Change, by sender: PublicID = alice) -> [ListDelta] {
    let ordered = replica.placed(
      change, from: sender, TransferID(incarnation: 0, counter: 0))
    let deltas = replica.apply(ordered)
    log.note(ordered, deltas: deltas)
    log.compact(replica)
    return deltas
  }

  @discardableResult
  mutating func add(_ entries: Entry..., by sender: PublicID = alice) -> [ListDelta] {
    order(.added(entries, rejected: []), by: sender)
  }
}

/// Somebody who takes a list in pages, as a member does.
struct Follower {
  var replica = Replica(order: .none)
  var cursor = ListCursor.start
  var run: PageRun?
  var restarts = 0
  var items = 0

  /// Takes one page. Returns: whether there are more.
  mutating func takePage(of author: Author) throws -> Bool {
    let page = author.log.page(
      after: cursor, isConfirmed: true, for: alice, of: author.replica)
    try #require(page.after == cursor)
    try #require(page.body.count <= Limits.listBody)
    if page.restarts { restarts += 1 }
    if page.restarts || run == nil { run = PageRun(of: replica, restarts: page.restarts) }
    let body = try PageBody(decoding: page.body)
    items += body.items.count
    run!.take(body)
    cursor = page.next
    if page.more { return true }
    _ = run!.finish(&replica, at: page.next.order, body.head.history)
    run = nil
    return false
  }

  mutating func catchUp(with author: Author) throws {
    while try takePage(of: author) {}
  }

  func hasCaughtUp(with author: Author) -> Bool {
    replica.order == author.replica.order && replica.members == author.replica.members
      && replica.list.sorted == author.replica.list.sorted
  }
}
