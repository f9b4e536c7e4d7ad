import Core
import DequeModule
import Protocol

/// What waits in a node to be done: strictly in order, as the runtime does it.
enum NodeAction {
  case member(MemberAction)
  case master(MasterAction)
  case fetch(FetchAction)
  case line(LineKeeper.Action)
}

/// A program that waits for a change.
struct PendingWait {
  let entry: EntryID
  /// The state that it waits for.
  let state: Entry
  let deadline: Instant
  /// Whether nothing but liars may be in its way.
  var isProbe = false
}

/// A program that waits for bytes.
struct PendingRead {
  let content: Content
  let offset: UInt64
  let length: UInt64
  let began: Instant
  let deadline: Instant
  /// Whether a liar says what it is.
  var isOfLiar = false
  /// Whether nothing but liars may be in its way.
  var isProbe = false
}

/// One machine: its own folder, and the process that shares it while it runs.
final class Node {
  let index: Int
  let key: DeviceKey
  let name: DeviceName
  var folder = Folder()
  var member: Member
  var fetcher: ChunkFetcher
  var incarnation: Incarnation
  /// The master app, in the one node that has it.
  var master: MasterHost?
  var isRunning = false
  /// Whether something of its folder may not have been shared since it began.
  var isScanning = false
  /// Stopped for good.
  var isDeparted = false
  /// Whether its owner lets it have lines, and whether others may dial it.
  var usesLines = true
  var listens = true
  var lines = NodeLines()
  var session: SessionID?
  var bulkIsOpen = false
  /// How often in a row connecting failed.
  var backOff = 0
  var actions: Deque<NodeAction> = []
  var isPerforming = false
  /// When a tick is scheduled.
  var tickAt: Instant?
  var waits: [WaitToken: PendingWait] = [:]
  var reads: [ReadToken: PendingRead] = [:]
  /// Streams of closed and open files.
  var streams: [StreamID: Content] = [:]
  /// What the member's list deltas make of others' entries.
  var view: [EntryKey: ListedEntry] = [:]
  var nextToken: UInt64 = 1
  /// What its disk has of the list.
  var keptList: KeptList?
  /// The order at which the replica was last compared with the oracle.
  var comparedAt: ListOrder?

  init(
    index: Int, incarnation: Incarnation, member: Member.Settings, fetcher: ChunkFetcher.Settings
  ) {
    self.index = index
    self.incarnation = incarnation
    key = DeviceKey(number: UInt8(index + 1))
    name = DeviceName("node \(index)")!
    self.member = Member(
      isMaster: index == 0, incarnation: incarnation, settings: member, hash: SimulatedHash.hash)
    self.fetcher = ChunkFetcher(settings: fetcher)
  }

  var isMaster: Bool { index == 0 }

  /// Of the group key that its process has; 0: none yet.
  var generation: UInt32 = 0
  /// The latest generation that it ever had, over restarts.
  var reached: UInt32 = 0

  func token() -> UInt64 {
    defer { nextToken += 1 }
    return nextToken
  }
}

extension DeviceKey {
  /// The key of a device of the simulation.
  init(number: UInt8) {
    let half = [UInt8](repeating: number, count: Self.partLength)
    self.init(signing: half, agreement: half)
  }
}

/// A copy of a replica that outlives the process: what changed on the way to each of some cursors.
struct KeptList {
  var publicID: PublicID
  /// The latest step that is in it, of the process that writes it.
  var step: UInt64
  var groups: [(items: [PageItem], reached: ListQuestion)]

  init(_ snapshot: ReplicaSnapshot) {
    publicID = snapshot.publicID
    step = snapshot.step
    let entries = snapshot.list.sorted
    let members = snapshot.members.sorted { $0.publicID < $1.publicID }
    groups = [(members.map { .member($0) } + entries.map { .entry($0) }, snapshot.reached)]
  }

  /// The first `count` groups, as the next process finds them.
  func replica(groups count: Int) -> KeptReplica {
    var kept = KeptReplica(of: publicID, hash: SimulatedHash.hash)
    for group in groups.prefix(count) {
      for item in group.items { kept.take(item) }
      do { try kept.reach(group.reached) } catch {
        preconditionFailure("a member says where it stands: \(error)")
      }
    }
    return kept
  }
}

/// How a master's process ends in the middle of a change.
enum CrashPoint {
  /// The record is not whole: a restart cuts it off.
  case tornRecord
  /// The record is whole, but nobody was told.
  case untold
}

/// The master app of a node, and the journal that outlives it.
final class MasterHost {
  var master: Master
  var journal: [OrderedChange] = []
  /// What a journal begins with once it was compacted.
  var snapshot: Snapshot?
  var hubIsReady = false
  /// How often the master has signed the list.
  var beats: UInt64 = 0
  /// Whether the journal began anew and approvals were not taken back from the hub yet.
  var isUnsettled = false
  var parts: [ClientRecord] = []
  /// Decisions and the number of keys: they survive what a journal does not.
  var vault = MasterVault()
  var restoration = Restoration()
  var crashNext: CrashPoint?
  /// The epoch of a journal without a snapshot.
  let firstEpoch: UInt64
  /// The state folder as it was once.
  var backup: Backup?

  struct Snapshot {
    let order: ListOrder
    /// From some earlier place up to `order`.
    let histories: [History]
    let items: [PageItem]
    let answers: [OrderedChange]
  }

  struct Backup {
    let journal: [OrderedChange]
    let snapshot: Snapshot?
    let vault: MasterVault
    let restoration: Restoration
    /// The registry of a hub in the same folder.
    let hub: HubHost
  }

  init(master: Master) {
    self.master = master
    firstEpoch = master.replica.order.epoch
  }

  func keep(_ decision: MemberRecord, generation: UInt32) {
    vault.generation = generation
    vault.decisions.removeAll { $0.key == decision.key }
    vault.decisions.append(decision)
  }
}
