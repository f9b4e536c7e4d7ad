package import Protocol
import System

/// What a member can do as fast as it can.
package enum Flood: String, CaseIterable, Sendable {
  /// What looks like a proposal and is none.
  case garbage
  /// What it says of who is out, and makes no sense.
  case reports
  /// The whole list is asked for, and nothing of it is read.
  case questions
  /// Entries, always other ones at the same paths.
  case changes
  /// The same without waiting until it has room for more words, and each entry deep in directories.
  case depths
  /// A name of its own, and another one.
  case names
  /// Leaves of an owner's file, which nobody takes.
  case requests
  /// Leaves of an owner's file, past every cache, and all of them taken.
  case reading
  /// Connections of strangers, each given up once it is there.
  case strangers

  /// Whether it needs a file of somebody's.
  package var needsTarget: Bool { self == .requests || self == .reading }
}

/// A flood that goes on: one liar, one thread.
package final class FloodSource {
  private let flood: Flood
  private let liar: Liar
  private let hub: String
  private let target: ListedEntry?
  private var round: UInt64 = 0

  /// `target`: the file that the flood is about. Opens what the flood needs beside the connection.
  package init(_ flood: Flood, by liar: Liar, of hub: String, target: ListedEntry?) throws {
    self.flood = flood
    self.liar = liar
    self.hub = hub
    self.target = target
    guard !flood.needsTarget || target != nil else { throw PeerFault("\(flood) of no file") }
    if flood == .reading {
      try liar.peer.openDown(with: liar.greeting)
      let down = liar.peer.down
      _ = try Thread.start(name: "reading") {
        while let piece = try? down?.receive(atMost: 1 << 20), !piece.isEmpty {}
      }
    }
  }

  /// Says the next word of it. Throws when the hub does not read any more for now (EAGAIN), and when
  /// it has closed the connection.
  package func next() throws {
    round += 1
    switch flood {
    case .garbage:
      let body = [UInt8](repeating: 7, count: 100_000)
      try liar.peer.send(
        .addFiles(Proposal(transfer: liar.newTransfer(), oldest: liar.counter, body: body)))
    case .reports:
      try liar.say(.clientsOut(ClientsOut(body: [UInt8](repeating: 7, count: 99))))
    case .questions: try liar.ask()
    case .changes: try liar.throwIn(try (0..<50).map { try churn($0, under: "") })
    case .depths:
      try liar.throwIn(try (0..<10).map { try churn($0, under: "\(round % 400)/") })
    case .names: try liar.rename(to: "liar \(round % 1_000)")
    case .requests: try liar.request(target!, from: round % 16)
    case .reading:
      let leaves = max(1, target!.entry.size / 131_072)
      try liar.request(target!, from: round * 64 % leaves)
      // No faster than they come, or it waits for its own line.
      if liar.peer.peer.socket.hasUnread { _ = try liar.peer.next() }
    case .strangers:
      let stranger = try WebSocketPeer(to: hub)
      _ = try stranger.receiveHello()
      stranger.socket.hangUp()
    }
  }

  private func churn(_ number: UInt64, under path: String) throws -> Entry {
    let number = (round * 50 + number) % 4_000
    let deep = path.isEmpty ? "" : path + String(repeating: "d/", count: 200)
    return Entry(
      id: RandomID(high: 9, low: SecureRandom.uint64()),
      path: try SharePath(Array("\(deep)churn \(number)".utf8)), kind: .file,
      version: RandomID(high: round, low: number), size: 10, modified: FileTime(seconds: 1),
      mode: 0o644, beginning: nil)
  }
}

extension Liar {
  /// Proposes entries and does not wait for an answer.
  package func throwIn(_ entries: [Entry]) throws {
    let transfer = newTransfer()
    let add = ProposedChange.add(entries, reclaims: false)
    try say(add.message(transfer, oldest: transfer.counter))
  }

  /// Asks for the whole list, and does not read it.
  package func ask() throws {
    let cursor = ListCursor(order: .none, offset: 0, began: 0, question: newTransfer())
    try say(.askFiles(ListQuestion(cursor: cursor, mark: .none)))
  }

  /// Proposes another name of its own.
  func rename(to name: String) throws {
    guard let name = DeviceName(name) else { throw PeerFault("no name") }
    let transfer = newTransfer()
    try say(ProposedChange.name(name).message(transfer, oldest: transfer.counter))
  }
}
