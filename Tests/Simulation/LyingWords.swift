import Core
import Protocol

/// What a liar says next: any message that the types allow, made of what is true of others.
extension World {
  func lie(_ liar: Liar) -> Message {
    switch random.chance(500) ? liar.habit : random.pick(Liar.Habit.allCases) ?? liar.habit {
    case .proposing, .coming, .deaf: lyingProposal(liar)
    case .copying: copied(liar) ?? lyingProposal(liar)
    case .asking: random.chance(850) || isSettling ? lyingQuestion(liar) : lyingReport()
    case .fetching: .requestChunk(lyingRequest(liar))
    case .serving: lyingFailure(liar)
    case .dialling: lyingAddresses(liar)
    case .nonsense: random.chance(60) ? othersWords(liar) : lyingProposal(liar)
    }
  }

  /// What was said before, once more, or something else under its name.
  private func copied(_ liar: Liar) -> Message? {
    // Just when the hub stops waiting for an answer to it.
    let late = liar.said.filter { now > $0.at + .seconds(9) && now < $0.at + .seconds(12) }
    guard let (_, message) = random.pick(random.chance(500) ? late : liar.said) else { return nil }
    guard random.chance(300), let proposal = message.proposal else { return message }
    let other = lyingChange(liar).message(proposal.transfer, oldest: proposal.oldest)
    return random.chance(800) ? other : message.replacingBody(other.body ?? [])
  }

  private func lyingProposal(_ liar: Liar) -> Message {
    let (transfer, oldest) = lyingTransfer(liar)
    var message = lyingChange(liar).message(transfer, oldest: oldest)
    if random.chance(50) { message = message.replacingBody(mangled(message.body ?? [])) }
    liar.remember(message, at: now)
    return message
  }

  /// Mostly the next, since only that is looked into.
  private func lyingTransfer(_ liar: Liar) -> (TransferID, oldest: UInt64) {
    func own(_ counter: UInt64) -> TransferID {
      TransferID(incarnation: liar.incarnation, counter: counter)
    }
    switch random.below(100) {
    case 0..<3: liar.counter &+= 1 + random.next() % 1_000
    case 3..<5: liar.counter = liar.counter &- min(liar.counter, random.next() % 100)
    case 5: return (own([0, .max, .max - 1, 1 << 63][random.below(4)]), someNumber())
    case 6..<9:
      // Another run of its own, or of somebody else.
      let incarnation = random.pick(nodes)?.incarnation ?? 0
      let other = random.chance(500) ? incarnation : liar.incarnation &- 1
      return (TransferID(incarnation: other, counter: liar.counter), liar.counter)
    case 9 where random.chance(50):
      return (TransferID(incarnation: .max, counter: 1), 1)
    case 10 where liar.said.count > 0: begin(liar, liar.incarnation &+ 1)
    default: break
    }
    liar.counter &+= 1
    return (own(liar.counter), random.chance(850) ? liar.counter : someNumber())
  }

  /// At the edges of what a number holds, or near what others are at.
  func someNumber() -> UInt64 {
    let near = oracle.order.seq &+ random.next() % 5 &- 2
    return [0, 1, .max, .max - 1, 1 << 63, 1 << 32, random.next(), near][random.below(8)]
  }

  private func lyingChange(_ liar: Liar) -> ProposedChange {
    switch random.below(100) {
    case 0..<58:
      // At times as many as there may be.
      let count = random.chance(20) ? 20 + random.below(300) : random.below(5)
      let entries = (0..<count).map { _ in lyingEntry(liar) }
      liar.remember(entries)
      return .add(entries, reclaims: random.chance(100))
    case 58..<75: return .remove(lyingID(liar))
    case 75..<95: return .rename(lyingID(liar), to: lyingPath(liar))
    default:
      return .name(random.pick(nodes.map(\.name)) ?? liarsName)
    }
  }

  private var liarsName: DeviceName { DeviceName("liar")! }

  /// Bytes that are nearly what they should be.
  func mangled(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    switch random.below(4) {
    case 0: return (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    case 1: bytes.removeLast(random.below(bytes.count + 1))
    case 2: bytes += [UInt8](repeating: 0, count: random.chance(100) ? 40_000 : 1)
    default:
      for _ in 0...random.below(3) where !bytes.isEmpty {
        bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
    }
    return bytes
  }

  /// ASK_FILES from any place, with any mark.
  private func lyingQuestion(_ liar: Liar) -> Message {
    let head = oracle.order
    let past = head.seq - random.next() % (head.seq + 1)
    // Beyond the head, or with another history, a mark says that the master was set back.
    let mayBeBeyond = liarsClaimSetBacks && !isSettling
    let seq = mayBeBeyond && random.chance(100) ? head.seq &+ 1 &+ random.next() % 5 : past
    let isOfOtherEpoch = random.chance(200)
    let epoch = isOfOtherEpoch ? [0, head.epoch &+ 1, random.next()][random.below(3)] : head.epoch
    let history = nodes[0].master?.master.replica.histories[seq] ?? .none
    let isFalse = (isOfOtherEpoch || mayBeBeyond) && random.chance(200)
    let falseHistory = History([UInt8](repeating: 7, count: History.length))
    let mark = ListMark(seq: seq, history: isFalse ? falseHistory : history)
    // A cursor behind the mark, or before it: a run of pages that never was.
    let isOdd = random.chance(200)
    liar.counter &+= 1
    let name = TransferID(
      incarnation: random.chance(900) ? liar.incarnation : nodes[0].incarnation,
      counter: liar.counter)
    let cursor = ListCursor(
      order: ListOrder(epoch: epoch, seq: isOdd ? someNumber() : seq),
      offset: random.chance(700) ? 0 : UInt32(truncatingIfNeeded: someNumber()),
      began: random.chance(700) ? 0 : someNumber(), question: name)
    var message = Message.askFiles(ListQuestion(cursor: cursor, mark: mark))
    if random.chance(30) { message = message.replacingBody(mangled(message.body ?? [])) }
    liar.remember(message, at: now)
    return message
  }

  /// CLIENTS_OUT about honest members.
  private func lyingReport() -> Message {
    if random.chance(100) { return .clientsOut(ClientsOut(body: mangled([1, 0, 0, 0]))) }
    let latest = nodes[0].generation
    let generations = [0, 1, latest &- 1, latest, latest &+ 1, .max]
    let records = nodes.filter { _ in random.chance(500) }.map { node in
      MemberRecord(
        publicID: PublicID(UInt32(random.below(8))), name: node.name,
        admission: random.chance(800) ? .disapproved : .approved,
        key: random.chance(900) ? node.key : nil,
        generation: generations[random.below(generations.count)])
    }
    return .clientsOut(ClientsOut(records))
  }

  /// What only the master, or the hub, may say.
  private func othersWords(_ liar: Liar) -> Message {
    let victim = PublicID(UInt32(random.below(8)))
    let key = random.pick(nodes)?.key ?? liar.key
    let record = MemberRecord(
      publicID: victim, name: liarsName, admission: .disapproved, key: key, generation: 1)
    let ordered = OrderedChange(
      order: ListOrder(epoch: oracle.order.epoch, seq: oracle.order.seq + 1), sender: victim,
      transfer: TransferID(incarnation: 1, counter: 1),
      change: [
        .added([lyingEntry(liar)], rejected: []), .removed(lyingID(liar)), .released(victim),
        .disapproved(record), .approved(record), .named(liarsName),
        .renamed(lyingID(liar), to: lyingPath(liar), rejection: nil),
      ][random.below(7)])
    let said = ordered.message(toHub: random.chance(500))
    let cursor = ListCursor.start
    return [
      said, said, .directed(to: victim, said), .forwarded(from: victim, lyingProposal(liar)),
      .online([victim]), .away([victim]), .gone([victim]), .clientForgotten([victim]),
      .groupKey(GroupKeyMessage(publicID: victim, generation: .max, wrapped: [])),
      .clientTable(ClientTable(records: [record], highest: victim, isLast: true)),
      .serverNotReady(TransferID(incarnation: 1, counter: 1)),
      .changeRefused(ChangeRefusal(TransferID(incarnation: 1, counter: 1), .exists)),
      .filesPage(
        FilesPage(
          after: cursor, next: cursor, more: false, restarts: true,
          body: PageBody(items: []).encoded())),
      .clientRegisterAck(ClientRegisterAck(publicID: victim, admission: .approved)),
      .hello(
        Hello(
          challenge: [UInt8](repeating: 0, count: Hello.challengeLength))),
      .refused(Refused(code: .displaced, reason: "no")),
      .uploadChunkRequest(lyingRequest(liar)),
    ][random.below(17)]
  }
}
