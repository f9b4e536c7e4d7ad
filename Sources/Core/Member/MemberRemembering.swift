package import Protocol

/// What a member still knows when the list that it is given is another one than it had.
extension Member {
  /// Whether a change that does not come next is one that this list has: a second copy, and no
  /// other change that was given the same place.
  func isKnown(_ ordered: OrderedChange) -> Bool {
    guard ordered.order.epoch == replica.order.epoch else { return false }
    let seq = ordered.order.seq
    if let known = replica.histories[seq] ?? uncovered.history(at: seq) {
      return known == ordered.history
    }
    // An answer that is given a second time may be of long ago.
    return ordered.order.seq <= replica.order.seq && ordered.sender == publicID
      && ordered.transfer.incarnation == incarnation
  }

  /// The master in this process begins a new epoch with the list as it is.
  package mutating func epochBegan(_ order: ListOrder) {
    precondition(isMaster, "everyone else takes the list in pages")
    replica.reached(order, .none)
  }

  /// Who is out by the list as it is, or was by one before it.
  var whoIsOut: [DeviceKey: MemberRecord] {
    var out = knownOut
    for member in replica.members.values where member.admission == .disapproved {
      if let key = member.key { out[key] = member }
    }
    return out
  }

  /// Keeps of those who were out before whoever is not out by the new list, or let in again later.
  mutating func noteOut(_ before: [DeviceKey: MemberRecord]) {
    knownOut = before
    for member in replica.members.values {
      guard let key = member.key, let known = knownOut[key] else { continue }
      if member.admission == .disapproved || member.generation >= known.generation {
        knownOut[key] = nil
      }
    }
  }

  /// Tells a master that may have been set back who was put out.
  func tellOut(into actions: inout [MemberAction]) {
    if isMaster || knownOut.isEmpty { return }
    var rest = knownOut.values.sorted { $0.publicID < $1.publicID }[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(Limits.clientsPerAck))
      rest = rest.dropFirst(part.count)
      actions.append(.send(.clientsOut(ClientsOut(part))))
    }
  }
}
