import Glibc
package import Protocol
import Sealing
import System

/// A member that was approved, holds the group's key, and says whatever it likes.
package final class Liar {
  package let peer: RegisteredPeer
  private let sealer = Sealer()
  private(set) var counter: UInt64 = 0
  /// What came while it was approved.
  package private(set) var greeting: [Message] = []

  /// Registers at a hub; `approval` has its master approve the number it was given.
  package init(to hub: String, approval: (PublicID) throws -> Void) throws {
    peer = try RegisteredPeer(to: hub).registerAsClient()
    try approval(peer.publicID)
    greeting = try peer.receive { $0.opcode == .bulkTickets }
    for case .groupKey(let message) in greeting {
      guard let master = peer.master,
        let key = KeyWrapping.unwrap(message, by: peer.identity, from: master)
      else { throw PeerFault("the liar has no key") }
      _ = sealer.use(key)
      sealer.pair(.master, with: master, by: peer.identity, isMaster: false)
    }
  }

  package var generation: UInt32 { sealer.generation }

  func newTransfer() -> TransferID {
    counter += 1
    return TransferID(incarnation: 1 << 60, counter: counter)
  }

  /// Says something, sealed as it has to be.
  package func say(_ message: Message) throws {
    try peer.send(sealer.seal(message, from: peer.publicID))
  }

  /// Proposes entries. Returns: which were not taken, and why.
  package func add(_ entries: Entry...) throws -> [RejectedEntry] { try add(entries) }

  package func add(_ entries: [Entry]) throws -> [RejectedEntry] {
    let transfer = newTransfer()
    let add = ProposedChange.add(entries, reclaims: false)
    try say(add.message(transfer, oldest: transfer.counter))
    while true {
      let message = try sealer.open(try peer.next(), from: .master, as: peer.publicID)
      if case .serverNotReady(transfer) = message {
        // Said again as soon as that may be of use.
        _ = poll(nil, 0, 250)
        try say(add.message(transfer, oldest: transfer.counter))
        continue
      }
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
  package func hear(_ isWanted: (OrderedChange) -> Bool) throws -> OrderedChange {
    while true {
      let message = try sealer.open(try peer.next(), from: .master, as: peer.publicID)
      if let ordered = try OrderedChange.decode(message), isWanted(ordered) { return ordered }
    }
  }

  /// What only the master may say to everyone, sealed with the group's key: every member has that.
  package func sealedAsMaster(_ message: Message) throws -> Message {
    try sealer.seal(message, from: .master)
  }

  /// Proposes to take an entry off, and waits for the answer.
  package func remove(_ id: EntryID) throws {
    let transfer = newTransfer()
    try say(ProposedChange.remove(id).message(transfer, oldest: transfer.counter))
    while try peer.next().answeredTransfer != transfer {}
  }

  /// All entries of the list, by their paths.
  package func list() throws -> [String: ListedEntry] {
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
  package func request(_ listed: ListedEntry, from first: UInt64) throws {
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
