import Core
import Protocol

/// A deliberate fault that the simulation must notice: the proof that it can fail.
package enum Sabotage: String, CaseIterable, Sendable {
  /// One member gets a FILES_ADDED that lacks an entry.
  case alterBroadcast
  /// A change is journalled a second time under the same transfer id.
  case repeatEffect
  /// A member that is not approved gets a broadcast.
  case tellUnapproved
  /// One byte of a leaf is another.
  case flipByte
  /// A read is answered twice.
  case answerTwice
  /// A removal takes off another entry at one member.
  case alterRemoval
  /// The answer to a transfer is lost whenever it is given, so that its sender waits for ever.
  case swallowAnswers
  /// A list that was kept lacks something.
  case forgetKept
}

extension World {
  /// Whether `sabotage` is due now: it happens once, some time into the history.
  func sabotages(_ sabotage: Sabotage) -> Bool {
    guard options.sabotage == sabotage, !sabotageIsDone, now > .seconds(10) else { return false }
    sabotageIsDone = true
    note("SABOTAGE: \(sabotage)")
    return true
  }

  /// What the hub sends to one member in place of `message`; nil where it is honest.
  func sabotaged(
    _ message: Message, _ sessions: [SessionID]
  ) -> (victim: SessionID, bytes: [UInt8])? {
    guard options.sabotage != nil, !sabotageIsDone,
      let ordered = try? OrderedChange.decode(message),
      let victim = sessions.first(where: { connections[$0]?.publicID != ordered.sender }),
      let node = connections[victim].map({ nodes[$0.node] })
    else { return nil }
    let change: Change
    switch ordered.change {
    case .added(let entries, let rejected) where !entries.isEmpty:
      guard sabotages(.alterBroadcast) else { return nil }
      change = .added(Array(entries.dropLast()), rejected: rejected)
    case .removed:
      guard sabotages(.alterRemoval) else { return nil }
      change = .removed(newID())
    default: return nil
    }
    let altered = OrderedChange(
      order: ordered.order, sender: ordered.sender, transfer: ordered.transfer, change: change)
    // With another history the victim would notice, and ask for the list anew.
    let history = SimulatedHash.hash(altered.hashed(behind: node.member.replica.history))
    return encoded(altered.with(history).message()).map { (victim, $0) }
  }

  /// A member that is not approved and connected, for `Sabotage.tellUnapproved`.
  func unapprovedVictim() -> SessionID? {
    guard options.sabotage == .tellUnapproved, !sabotageIsDone else { return nil }
    let victim = connections.values.filter { connection in
      guard connection.hubIsOpen, let publicID = connection.publicID else { return false }
      return publicID != .master && hub.admissions[publicID] != .approved
    }.map(\.id).min()
    return victim != nil && sabotages(.tellUnapproved) ? victim : nil
  }
}
