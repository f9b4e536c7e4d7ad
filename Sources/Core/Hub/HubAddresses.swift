import Protocol

/// Where members listen for each other, as they have told the hub, which cannot read it; and to
/// whom that was passed on, to be told when it changes.
struct HubAddresses: Sendable {
  private struct Told {
    var sealed: [UInt8]
    /// The one that asked last is the last.
    var askers: [PublicID] = []
  }

  /// Members that are told when another's addresses change, at most.
  private static let askerLimit = 256
  private var told: [PublicID: Told] = [:]
  /// What each may still ask and tell.
  private var asks: [PublicID: Allowance] = [:]
  private var tellings: [PublicID: Allowance] = [:]

  subscript(publicID: PublicID) -> [UInt8]? { told[publicID]?.sealed }

  /// Notes where a member listens. Returns: who is to hear of it.
  mutating func tell(_ sealed: [UInt8], of publicID: PublicID, now: Instant) -> [PublicID] {
    let mayPass = tellings[publicID, default: Allowance(perSecond: 1, atOnce: 10, now: now)]
      .take(now: now)
    told[publicID, default: Told(sealed: [])].sealed = sealed
    return mayPass ? told[publicID]!.askers : []
  }

  /// Whether a member may ask for one more.
  mutating func mayAsk(_ publicID: PublicID, now: Instant) -> Bool {
    asks[publicID, default: Allowance(perSecond: 20, atOnce: 50, now: now)].take(now: now)
  }

  mutating func note(_ asker: PublicID, askedFor publicID: PublicID) {
    guard var askers = told[publicID]?.askers, askers.last != asker else { return }
    askers.removeAll { $0 == asker }
    if askers.count == Self.askerLimit { askers.removeFirst() }
    told[publicID]!.askers = askers + [asker]
  }

  /// A member's connection is gone.
  mutating func forget(_ publicID: PublicID) {
    told[publicID] = nil
    asks[publicID] = nil
    tellings[publicID] = nil
  }
}

extension Hub {
  /// TELL_ADDRESSES and ASK_ADDRESSES of somebody who is in.
  mutating func receivedAboutAddresses(
    _ message: Message, _ publicID: PublicID, now: Instant, into actions: inout [HubAction]
  ) {
    switch message {
    case .tellAddresses(let sealed):
      for asker in addresses.tell(sealed, of: publicID, now: now) {
        passOn(publicID, to: asker, into: &actions)
      }
    case .askAddresses(let owner):
      guard owner != publicID, addresses.mayAsk(publicID, now: now) else { return }
      passOn(owner, to: publicID, into: &actions)
      addresses.note(publicID, askedFor: owner)
      // Whoever cannot be dialled may be able to dial.
      if addresses[publicID] != nil, addresses[owner] != nil {
        passOn(publicID, to: owner, into: &actions)
      }
    default: break
    }
  }

  private func passOn(_ about: PublicID, to reader: PublicID, into actions: inout [HubAction]) {
    guard let client = clients[reader], client.record.admission == .approved,
      let session = client.session
    else { return }
    let owner = clients[about]
    let isIn = owner?.record.admission == .approved && owner?.session != nil
    let told = ToldAddresses(
      publicID: about, seen: isIn ? owner!.record.address : "",
      sealed: isIn ? addresses[about] ?? [] : [])
    actions.append(.send(.addresses(told), to: [session]))
  }
}
