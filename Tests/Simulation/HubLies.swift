import Core
import Protocol

/// What a hub that lies has made of the list for one member.
struct HubLies {
  /// The place and the history of what it passed on last.
  var last: (order: ListOrder, history: History)?
  /// What it holds back until something else has passed.
  var held: [UInt8]?
  /// A signature of the master from before.
  var oldHead: [UInt8]?
  /// Where somebody listened, as it was told last.
  var oldAddresses: ToldAddresses?
  /// Whether nothing of the list passes any more.
  var isFrozen = false
}

/// A hub that has the group's key from a member, and says of the list whatever it likes. What it
/// cannot make is what the master makes for one member alone (pages, marks, refusals), and the
/// master's signature.
extension World {
  /// What one end gets in the place of a message.
  func passedOn(_ message: Message, _ bytes: [UInt8], to connection: Connection) -> [[UInt8]] {
    guard options.liars == .hub, case .node(let index) = connection.peer, index != 0 else {
      return [bytes]
    }
    let held = connection.lies.held.map { [$0] } ?? []
    connection.lies.held = nil
    if isSettling { return held + [bytes] }
    if random.chance(2) { connection.lies.isFrozen.toggle() }
    if case .listHead = message {
      defer { connection.lies.oldHead = bytes }
      if connection.lies.isFrozen || random.chance(150) { return lied(connection, held) }
      if random.chance(50), let old = connection.lies.oldHead {
        return lied(connection, held + [old, bytes])
      }
      return held + [bytes]
    }
    if case .addresses(let told) = message { return held + lied(about: told, bytes, connection) }
    guard let ordered = try? OrderedChange.decode(message), !decides(ordered, connection) else {
      return held + [bytes]
    }
    if connection.lies.isFrozen { return lied(connection, held) }
    switch random.below(100) {
    case 0..<3: return lied(connection, held)
    case 3..<6: return lied(connection, held + [bytes, bytes])
    case 6..<9:
      connection.lies.held = bytes
      return lied(connection, held)
    case 9..<15:
      guard let made = madeUp(in: ordered, for: connection) else { break }
      // In its place, or before it.
      return lied(connection, held + (random.chance(500) ? [made] : [made, bytes]))
    default: break
    }
    connection.lies.last = (ordered.order, ordered.history)
    return held + [bytes]
  }

  /// Where a member listens: what it has sealed itself the hub cannot read, but repeat, leave out
  /// or give as another's, and it says what it likes of where it sees that member.
  private func lied(
    about told: ToldAddresses, _ bytes: [UInt8], _ connection: Connection
  ) -> [[UInt8]] {
    let old = connection.lies.oldAddresses
    connection.lies.oldAddresses = told
    let seen = random.pick(peers).map { direct.seen($0) } ?? ""
    let lie: ToldAddresses
    switch random.below(100) {
    case 0..<8: return []
    case 8..<20: lie = ToldAddresses(publicID: told.publicID, seen: seen, sealed: told.sealed)
    case 20..<28: lie = old ?? told
    case 28..<36:
      lie = ToldAddresses(publicID: told.publicID, seen: seen, sealed: old?.sealed ?? [])
    default: return [bytes]
    }
    note("the hub lies to \(connection.peer) about where \(told.publicID) listens")
    statistics.hubLies += 1
    return encoded(.addresses(lie)).map { [$0] } ?? []
  }

  /// Whether a change lets in, or puts out, who is at the other end: a hub that does not pass that
  /// on keeps somebody out, as any hub can.
  private func decides(_ ordered: OrderedChange, _ connection: Connection) -> Bool {
    switch ordered.change {
    case .approved(let member), .disapproved(let member): member.publicID == connection.publicID
    default: false
    }
  }

  private func lied(_ connection: Connection, _ bytes: [[UInt8]]) -> [[UInt8]] {
    note("the hub lies to \(connection.peer) about the list")
    statistics.hubLies += 1
    lastFault = now
    return bytes
  }

  /// A change that fits what the member has, in the place of the master's.
  private func madeUp(in ordered: OrderedChange, for connection: Connection) -> [UInt8]? {
    guard let last = connection.lies.last, ordered.order.follows(last.order),
      ordered.sender != connection.publicID
    else { return nil }
    let others = oracle.listed.filter { $0.owner != connection.publicID }
    let victim = others.isEmpty ? nil : others[random.below(others.count)]
    let change: Change
    let sender: PublicID
    switch (random.below(4), victim, ordered.change) {
    case (0, let victim?, _): (change, sender) = (.removed(victim.entry.id), victim.owner)
    case (1, let victim?, _) where victim.entry.kind == .file:
      var entry = victim.entry
      entry.size += 1
      (change, sender) = (.added([entry], rejected: []), victim.owner)
    case (2, let victim?, _): (change, sender) = (.released(victim.owner), .master)
    case (_, _, .added(let entries, _)) where !entries.isEmpty:
      (change, sender) = (.added(Array(entries.dropLast()), rejected: []), ordered.sender)
    default: return nil
    }
    let made = OrderedChange(
      order: ordered.order, sender: sender, transfer: ordered.transfer, change: change)
    let history = SimulatedHash.hash(made.hashed(behind: last.history))
    connection.lies.last = (made.order, history)
    return encoded(made.with(history).message())
  }
}
