import Control
import Protocol
import Sealing
import System

/// A member that was approved, holds the group's key, and says whatever it likes.
final class Liar {
  let peer: RegisteredPeer
  private let sealer = Sealer()
  private var counter: UInt64 = 0
  /// What came while it was approved.
  private(set) var greeting: [Message] = []

  /// Registers at a host's hub, and has its master approve it.
  init(_ fixture: Fixture, of hub: String, approvedBy host: Daemon) throws {
    peer = try RegisteredPeer(to: hub).registerAsClient()
    let id = peer.publicID.value
    try eventually("the master has heard of the liar") {
      try host.members().contains { $0.publicID == id }
    }
    try fixture.control(host, "approve", "\(id)", "--yes").succeeded()
    greeting = try peer.receive { $0.opcode == .bulkTickets }
    for case .groupKey(let message) in greeting {
      guard let master = peer.master,
        let key = KeyWrapping.unwrap(message, by: peer.identity, from: master)
      else { throw NeverHappened(description: "the liar has no key") }
      _ = sealer.use(key)
      sealer.pair(.master, with: master, by: peer.identity, isMaster: false)
    }
  }

  var generation: UInt32 { sealer.generation }

  private func newTransfer() -> TransferID {
    counter += 1
    return TransferID(incarnation: 1 << 60, counter: counter)
  }

  /// Says something, sealed as it has to be.
  func say(_ message: Message) throws { try peer.send(sealer.seal(message, from: peer.publicID)) }

  /// Proposes entries. Returns: which were not taken, and why.
  func add(_ entries: Entry...) throws -> [RejectedEntry] { try add(entries) }

  func add(_ entries: [Entry]) throws -> [RejectedEntry] {
    let transfer = newTransfer()
    let add = ProposedChange.add(entries, reclaims: false)
    try say(add.message(transfer, oldest: transfer.counter))
    while true {
      let message = try sealer.open(try peer.next(), from: .master, as: peer.publicID)
      if case .changeRefused(let refusal) = message, refusal.transfer == transfer {
        let reason = try refusal.reason()
        return entries.map { RejectedEntry(entry: $0.id, reason: reason) }
      }
      guard let ordered = try OrderedChange.decode(message), ordered.transfer == transfer else {
        continue
      }
      guard case .added(_, let rejected) = ordered.change else { return [] }
      return rejected
    }
  }

  /// The next change that it hears of which `isWanted`.
  func hear(_ isWanted: (OrderedChange) -> Bool) throws -> OrderedChange {
    while true {
      let message = try sealer.open(try peer.next(), from: .master, as: peer.publicID)
      if let ordered = try OrderedChange.decode(message), isWanted(ordered) { return ordered }
    }
  }

  /// What only the master may say to everyone, sealed with the group's key: every member has that.
  func sealedAsMaster(_ message: Message) throws -> Message {
    try sealer.seal(message, from: .master)
  }

  /// Proposes to take an entry off, and waits for the answer.
  func remove(_ id: EntryID) throws {
    let transfer = newTransfer()
    try say(ProposedChange.remove(id).message(transfer, oldest: transfer.counter))
    while try peer.next().answeredTransfer != transfer {}
  }

  /// Proposes entries and does not wait for an answer.
  func throwIn(_ entries: [Entry]) throws {
    let transfer = newTransfer()
    let add = ProposedChange.add(entries, reclaims: false)
    try say(add.message(transfer, oldest: transfer.counter))
  }

  /// Something that looks like a proposal and is none.
  func throwGarbage() throws {
    try peer.send(
      .addFiles(
        Proposal(
          transfer: newTransfer(), oldest: counter,
          body: [UInt8](repeating: 7, count: 100_000))))
  }

  /// Says who is out, in a way that makes no sense.
  func report() throws { try say(.clientsOut(ClientsOut(body: [UInt8](repeating: 7, count: 99)))) }

  /// Asks for the whole list, and does not read it.
  func ask() throws {
    let cursor = ListCursor(order: .none, offset: 0, began: 0, question: newTransfer())
    try say(.askFiles(ListQuestion(cursor: cursor, mark: .none)))
  }

  /// All entries of the list, by their paths.
  func list() throws -> [String: ListedEntry] {
    var cursor = ListCursor.start
    var mark = ListMark.none
    var listed: [String: ListedEntry] = [:]
    while true {
      cursor = ListCursor(
        order: cursor.order, offset: cursor.offset, began: cursor.began, question: newTransfer())
      try say(.askFiles(ListQuestion(cursor: cursor, mark: mark)))
      while true {
        let message = try sealer.open(try peer.next(), from: .master, as: peer.publicID)
        guard case .filesPage(let page) = message else { continue }
        let body = try PageBody(decoding: page.body)
        for case .entry(let one) in body.items {
          listed[String(decoding: one.entry.path.bytes, as: UTF8.self)] = one
        }
        if !page.more { return listed }
        (cursor, mark) = (page.next, body.head)
        break
      }
    }
  }

  /// Asks an owner for leaves of a file, by hundreds of thousands.
  func request(_ listed: ListedEntry, from first: UInt64) throws {
    try peer.send(
      .requestChunk(
        ChunkRequest(
          owner: listed.owner, entry: listed.entry.id, version: listed.entry.version,
          scale: Limits.leafScale, generation: generation, first: first, count: 64,
          pastCache: true)))
  }
}

extension Message {
  /// The transfer that a change answers.
  fileprivate var answeredTransfer: TransferID? {
    switch self {
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered):
      ordered.transfer
    default: nil
    }
  }
}
