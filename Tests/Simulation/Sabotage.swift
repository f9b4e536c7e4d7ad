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
  /// A removal of one member's entry takes off whatever has its id.
  case nameByID
  /// The hub takes a leaf, or the word that it does not come, from whoever gives it.
  case takeForgedLeaf
  /// The master takes a proposal of a liar as another's, whose entry it is about.
  case speakForAnother
  /// One member may have as much of the list as it likes.
  case liftLimits
  /// The master hears of a member as much as it says.
  case passAll
  /// A limit is in the way of honest members.
  case refuseHonest
  /// A liar that does not listen keeps everybody from being heard.
  case waitForTheDeaf
  /// The hub ends the master's connection for what a liar says.
  case endMaster

  /// A line to somebody else than who was dialled is taken for a line to who was.
  case believeAnswerer
  /// Who is put out keeps its lines.
  case serveOutsiders
  /// A leaf of somebody else is taken from whoever has a line.
  case takeForgedLine

  /// Who has to lie for it to be noticed.
  package var liars: Liars {
    switch self {
    case .alterBroadcast, .repeatEffect, .tellUnapproved, .flipByte, .answerTwice, .alterRemoval,
      .swallowAnswers, .forgetKept, .believeAnswerer, .serveOutsiders:
      .nobody
    case .nameByID, .takeForgedLeaf, .speakForAnother, .liftLimits, .passAll, .refuseHonest,
      .waitForTheDeaf, .endMaster, .takeForgedLine:
      .members
    }
  }
}

extension World {
  /// Whether `sabotage` is due now: it happens once, some time into the history.
  func sabotages(_ sabotage: Sabotage) -> Bool {
    guard options.sabotage == sabotage, !sabotageIsDone, now > .seconds(10) else { return false }
    sabotageIsDone = true
    note("SABOTAGE: \(sabotage)")
    return true
  }

  /// The same where there is an occasion.
  func sabotages(_ sabotage: Sabotage, where isDue: @autoclosure () -> Bool) -> Bool {
    options.sabotage == sabotage && !sabotageIsDone && isDue() && sabotages(sabotage)
  }

  /// What the hub sends to one member in place of `message`; nil where it is honest.
  func sabotaged(
    _ message: Message, _ sessions: [SessionID]
  ) -> (victim: SessionID, bytes: [UInt8])? {
    guard options.sabotage != nil, !sabotageIsDone,
      let ordered = try? OrderedChange.decode(message),
      let victim = sessions.first(where: { connections[$0]?.publicID != ordered.sender }),
      case .node(let index) = connections[victim]?.peer
    else { return nil }
    let node = nodes[index]
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

  /// Whose word the master takes a liar's for: `Sabotage.speakForAnother`.
  func sabotagedSender(of message: Message, _ sender: PublicID) -> PublicID {
    guard options.sabotage == .speakForAnother, isLiar(sender),
      case .remove(let id) = try? ProposedChange.decode(message)?.change,
      let victim = oracle.listed.first(where: { $0.entry.id == id && !isLiar($0.owner) }),
      sabotages(.speakForAnother)
    else { return sender }
    return victim.owner
  }

  /// Where the owner of a leaf is connected: `Sabotage.takeForgedLeaf`.
  func sessionOfOwner(_ owner: PublicID?) -> SessionID? {
    connections.values.filter { $0.hubIsOpen && $0.publicID == owner && owner != nil }
      .map(\.id).max()
  }

  /// Whether the hub does something else than to hear a message: `Sabotage.waitForTheDeaf` and
  /// `.endMaster`.
  func sabotagesHearing(_ message: Message, _ peer: Peer) -> Bool {
    if options.sabotage == .waitForTheDeaf, !isLiar(peer), message.proposal != nil {
      return connections.values.contains { $0.hubIsOpen && !listens($0.peer) }
    }
    if isLiar(peer), sabotages(.endMaster),
      let session = connections.values.first(where: { $0.publicID == .master && $0.hubIsOpen })?.id
    {
      withHub { hub, actions in
        hub.received(.leave, session: session, now: now, into: &actions)
      }
      return true
    }
    return false
  }
}
