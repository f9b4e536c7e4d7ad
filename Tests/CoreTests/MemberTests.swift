import Core
import Protocol
import Testing

/// A member by itself: what it sends, and what it makes of the answers.
struct MemberTests {
  /// A member with a master that a test plays by hand.
  private struct Bench {
    var member = Member(isMaster: false, incarnation: 7)
    var now: Instant = .zero
    /// The master's list, or what there is of it.
    var list = Replica(order: ListOrder(epoch: 1, seq: 0))
    /// What it asked for last.
    var asked = ListCursor.start
    var mark: ListMark?

    /// What the member did: its actions.
    mutating func act(_ body: (inout Member, inout [MemberAction]) -> Void) -> [MemberAction] {
      var actions: [MemberAction] = []
      body(&member, &actions)
      for case .send(.askFiles(let question)) in actions {
        asked = question.cursor
        mark = try? question.mark()
      }
      return actions
    }

    mutating func hear(_ message: Message) -> [MemberAction] {
      let now = now
      return act { $0.hear(message, now: now, into: &$1) }
    }

    mutating func share(_ entry: Entry) -> [MemberAction] {
      let now = now
      return act { $0.share(entry, now: now, into: &$1) }
    }

    /// Approved, with an empty list.
    mutating func goLive() {
      _ = hear(
        .clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
      _ = hear(.online([.master]))
      _ = hear(page([]))
    }

    mutating func page(_ items: [PageItem]) -> Message {
      .filesPage(
        FilesPage(
          after: asked, next: ListCursor(order: list.order, offset: 0, began: 0), more: false,
          restarts: true,
          body: PageBody(asker: alice, head: list.mark, items: items).encoded()))
    }

    mutating func ordered(
      _ change: Change, by sender: PublicID = alice, counter: UInt64 = 0
    ) -> Message {
      let ordered = list.placed(
        change, from: sender, TransferID(incarnation: counter == 0 ? 0 : 7, counter: counter))
      _ = list.apply(ordered)
      return ordered.message()
    }
  }

  private func proposals(_ actions: [MemberAction]) -> [(UInt64, ProposedChange)] {
    actions.compactMap { action in
      guard case .send(let message) = action,
        let decoded = try? ProposedChange.decode(message)
      else { return nil }
      return (decoded.proposal.transfer.counter, decoded.change)
    }
  }

  @Test func `nothing is sent before the list is complete`() {
    var bench = Bench()
    #expect(proposals(bench.share(entry(1, "a"))).isEmpty)
    _ = bench.hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
    #expect(proposals(bench.hear(.online([.master]))).isEmpty)
    #expect(proposals(bench.hear(bench.page([]))).count == 1)
  }

  @Test func `adds that wait go as one transfer`() {
    var bench = Bench()
    for number in 1...50 as ClosedRange<UInt64> { _ = bench.share(entry(number, "f\(number)")) }
    _ = bench.hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
    _ = bench.hear(.online([.master]))
    let sent = proposals(bench.hear(bench.page([])))
    #expect(sent.count == 1)
    guard case .add(let entries, _)? = sent.first?.1 else { return #expect(Bool(false)) }
    #expect(entries.count == 50)
  }

  @Test func `what nobody could take is never sent, and does not stop what can be`() {
    var bench = Bench()
    bench.goLive()
    let odd = Entry(
      id: id(1), path: path("a"), kind: .symlink, version: id(2), size: 0,
      modified: FileTime(seconds: 0), mode: 0o777)
    let actions = bench.share(odd)
    #expect(actions == [.refused(odd, .impossible)])
    #expect(
      proposals(bench.share(entry(3, "b"))).map(\.1) == [.add([entry(3, "b")], reclaims: false)])
  }

  @Test func `a refusal of all is heard by who waits, and the next change goes on`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(30), into: &$1) }
    let refusal = ChangeRefusal(TransferID(incarnation: 7, counter: 1), .outdated)
    let heard = bench.hear(.changeRefused(refusal))
    #expect(heard.contains(.answer(5, .rejected(.outdated))))
    #expect(heard.contains(.refused(entry(1, "a"), .outdated)))
    #expect(bench.member.pendingChanges == 0)
    #expect(proposals(bench.share(entry(3, "b"))).map(\.0) == [2])
  }

  @Test func `what had no room in an answer is proposed again`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    let answer = bench.ordered(
      .added([], rejected: [RejectedEntry(entry: id(1), reason: .tooMuch)]), counter: 1)
    #expect(
      proposals(bench.hear(answer)).map(\.1) == [.add([entry(1, "a")], reclaims: false)])
  }

  @Test func `a list whose head is the last number there is stops nobody`() {
    var bench = Bench()
    bench.list = Replica(order: ListOrder(epoch: 1, seq: .max))
    bench.goLive()
    let ordered = OrderedChange(
      order: ListOrder(epoch: 1, seq: 0), sender: bob,
      transfer: TransferID(incarnation: 1, counter: 1), change: .removed(id(1)))
    _ = bench.hear(ordered.message())
    #expect(bench.member.replica.order.seq == .max)
  }

  @Test func `what was never sent can be taken back without a trace`() {
    var bench = Bench()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.unshare(id(1), now: .zero, into: &$1) }
    bench.goLive()
    #expect(bench.member.pendingChanges == 0)
  }

  @Test func `what was sent and not answered is taken back by a removal`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    let sent = proposals(bench.act { $0.unshare(id(1), now: .zero, into: &$1) })
    #expect(sent.map(\.1) == [.remove(id(1))])
  }

  @Test func `what the list has as it is, is not announced again`() {
    var bench = Bench()
    _ = bench.share(entry(1, "a"))
    _ = bench.share(entry(2, "b"))
    _ = bench.hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
    _ = bench.hear(.online([.master]))
    let listed = ListedEntry(entry: entry(1, "a"), owner: alice, claimed: 1)
    let sent = proposals(bench.hear(bench.page([.entry(listed)])))
    #expect(sent.map(\.1) == [.add([entry(2, "b")], reclaims: false)])
  }

  @Test func `what the list has and the folder has not is taken off`() {
    var bench = Bench()
    _ = bench.hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
    _ = bench.hear(.online([.master]))
    let listed = ListedEntry(entry: entry(1, "a"), owner: alice, claimed: 1)
    let sent = proposals(bench.hear(bench.page([.entry(listed)])))
    #expect(sent.map(\.1) == [.remove(id(1))])
  }

  @Test func `no more than a window of transfers is unanswered`() {
    var bench = Bench()
    bench.goLive()
    var sent = 0
    for number in 1...100 as ClosedRange<UInt64> {
      sent += proposals(bench.share(entry(number, "f\(number)"))).count
    }
    #expect(sent == Limits.transfersInFlight)
    let answer = bench.ordered(.added([entry(1, "f1")], rejected: []), counter: 1)
    #expect(proposals(bench.hear(answer)).map(\.0) == [33])
  }

  @Test func `an unanswered change is sent again with the same transfer id`() {
    var bench = Bench()
    bench.goLive()
    #expect(proposals(bench.share(entry(1, "a"))).map(\.0) == [1])
    bench.now = .seconds(3)
    #expect(proposals(bench.act { $0.tick(now: .seconds(3), into: &$1) }).map(\.0) == [1])
  }

  @Test func `a wait ends with the ack of its state`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    let none = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(9), into: &$1) }
    #expect(none.isEmpty)
    let answer = bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1)
    #expect(bench.hear(answer).contains(.answer(5, .acked)))
  }

  @Test func `an ack of an older state does not end a wait`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.share(entry(1, "a", version: 2))
    _ = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(9), into: &$1) }
    let answer = bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1)
    #expect(!bench.hear(answer).contains(.answer(5, .acked)))
  }

  @Test func `an ack of what an entry was before it was taken back does not end a wait`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.unshare(id(1), now: .zero, into: &$1) }
    _ = bench.share(entry(1, "a", version: 2))
    _ = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(9), into: &$1) }
    let answer = bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1)
    #expect(!bench.hear(answer).contains(.answer(5, .acked)))
  }

  @Test func `a refused entry is no longer announced`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(9), into: &$1) }
    let rejected = [RejectedEntry(entry: id(1), reason: .exists)]
    let actions = bench.hear(bench.ordered(.added([], rejected: rejected), counter: 1))
    #expect(actions.contains(.answer(5, .rejected(.exists))))
    #expect(actions.contains(.refused(entry(1, "a"), .exists)))
    #expect(bench.member.ownCount == 0)
  }

  @Test func `an entry that was renamed since is not refused for where it was`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.rename(id(1), to: path("b"), now: .zero, into: &$1) }
    let rejected = [RejectedEntry(entry: id(1), reason: .exists)]
    let actions = bench.hear(bench.ordered(.added([], rejected: rejected), counter: 1))
    #expect(!actions.contains(.refused(entry(1, "b"), .exists)))
    #expect(proposals(actions).map(\.1) == [.add([entry(1, "b")], reclaims: false)])
  }

  @Test func `an add that takes effect behind its rename does not stay where it was`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.rename(id(1), to: path("b"), now: .zero, into: &$1) }
    let renamed = Change.renamed(id(1), to: path("b"), rejection: nil)
    #expect(proposals(bench.hear(bench.ordered(renamed, counter: 2))).isEmpty)
    let added = bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1)
    #expect(
      proposals(bench.hear(added)).map(\.1) == [.add([entry(1, "b")], reclaims: true)])
  }

  @Test func `what the list has lost is announced again once all is answered`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1))
    // A removal that it made in another run.
    _ = bench.hear(bench.ordered(.removed(id(1))))
    _ = bench.share(entry(2, "b"))
    let added = bench.ordered(.added([entry(2, "b")], rejected: []), counter: 2)
    #expect(
      proposals(bench.hear(added)).map(\.1) == [.add([entry(1, "a")], reclaims: true)])
  }

  @Test
  func `what took another's place and was moved on before anybody heard leaves nothing there`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1))
    // No more is sent until one of these is answered.
    for number in 1...Limits.transfersInFlight {
      _ = bench.act { $0.rename(device: deviceName("\(number)"), now: .zero, into: &$1) }
    }
    #expect(bench.share(entry(2, "a")).isEmpty)
    #expect(bench.act { $0.rename(id(2), to: path("b"), now: .zero, into: &$1) }.isEmpty)
    let answer = Change.named(deviceName("1"))
    let actions =
      bench.hear(bench.ordered(answer, counter: 2)) + bench.hear(bench.ordered(answer, counter: 3))
    #expect(
      proposals(actions).map(\.1) == [.add([entry(2, "b")], reclaims: false), .remove(id(1))])
  }

  @Test func `what is not announced yet takes another's place when it is`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1))
    #expect(bench.act { $0.rename(id(2), to: path("a"), now: .zero, into: &$1) }.isEmpty)
    // An answer to something else takes nothing off.
    _ = bench.act { $0.rename(device: deviceName("x"), now: .zero, into: &$1) }
    let named = bench.ordered(.named(deviceName("x")), counter: 2)
    #expect(proposals(bench.hear(named)).isEmpty)
    #expect(
      proposals(bench.share(entry(2, "a"))).map(\.1) == [.add([entry(2, "a")], reclaims: false)])
    #expect(
      proposals(bench.hear(bench.ordered(.added([entry(2, "a")], rejected: []), counter: 3)))
        .isEmpty)
    #expect(bench.member.replica.list.count == 1)
  }

  @Test func `what was never announced leaves the place that it took free`() {
    for movesOn in [false, true] {
      var bench = Bench()
      bench.goLive()
      _ = bench.share(entry(1, "a"))
      _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), counter: 1))
      _ = bench.act { $0.rename(id(2), to: path("a"), now: .zero, into: &$1) }
      let actions = bench.act {
        if movesOn {
          $0.rename(id(2), to: path("b"), now: .zero, into: &$1)
        } else {
          $0.unshare(id(2), now: .zero, into: &$1)
        }
      }
      #expect(proposals(actions).map(\.1) == [.remove(id(1))])
    }
  }

  @Test func `a wait ends at its deadline and says who was away`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.share(entry(1, "a"))
    _ = bench.act { $0.wait(for: id(1), token: 5, deadline: .seconds(2), into: &$1) }
    #expect(bench.act { $0.tick(now: .seconds(2), into: &$1) } == [.answer(5, .timedOut)])
    _ = bench.act { $0.wait(for: id(1), token: 6, deadline: .seconds(2), into: &$1) }
    _ = bench.hear(.away([.master]))
    #expect(
      bench.act { $0.tick(now: .seconds(2), into: &$1) }.contains(.answer(6, .masterAway)))
  }

  @Test func `an answer to another question than the last is not taken`() {
    var bench = Bench()
    _ = bench.hear(.clientRegisterAck(ClientRegisterAck(publicID: alice, admission: .approved)))
    _ = bench.hear(.online([.master]))
    let stale = FilesPage(
      after: ListCursor(order: ListOrder(epoch: 1, seq: 4), offset: 0, began: 0),
      next: ListCursor(order: ListOrder(epoch: 1, seq: 5), offset: 0, began: 0), more: false,
      restarts: false, body: PageBody(asker: alice, items: []).encoded())
    _ = bench.hear(.filesPage(stale))
    #expect(bench.member.phase == .synchronising)
  }

  @Test func `a gap in the order makes the member ask`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.ordered(.removed(id(1)), by: bob)
    let actions = bench.hear(bench.ordered(.removed(id(2)), by: bob))
    #expect(actions.contains(.phase(.synchronising)))
    #expect(bench.mark == bench.member.replica.mark)
    #expect(bench.asked.order == bench.member.replica.order && bench.asked.question.counter == 2)
  }

  @Test func `entries of who is gone are hidden and come back with their owner`() {
    var bench = Bench()
    bench.goLive()
    let listed = ListedEntry(entry: entry(1, "a"), owner: bob, claimed: 1)
    _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), by: bob))
    #expect(bench.hear(.gone([bob])).contains(.list([.removed(listed)])))
    #expect(bench.hear(.online([bob])).contains(.list([.upserted(listed)])))
  }

  @Test func `a disapproved member forgets the list`() {
    var bench = Bench()
    bench.goLive()
    _ = bench.hear(bench.ordered(.added([entry(1, "a")], rejected: []), by: bob))
    let actions = bench.hear(bench.ordered(.disapproved(member(1, .disapproved)), by: .master))
    #expect(actions.contains(.phase(.disapproved)))
    #expect(bench.member.replica.list.count == 0)
  }

  @Test func `another version of the protocol ends the connection`() {
    var bench = Bench()
    let next = ProtocolVersions.spoken.highest + 1
    let hello = Hello(
      versions: ProtocolVersions(lowest: next, highest: next)!,
      challenge: [UInt8](repeating: 0, count: Hello.challengeLength))
    guard case .protocolError? = bench.hear(.hello(hello)).first else {
      return #expect(Bool(false))
    }
  }

  @Test func `a hub that speaks a later version too is understood`() {
    var bench = Bench()
    let spoken = ProtocolVersions.spoken
    let hello = Hello(
      versions: ProtocolVersions(lowest: spoken.lowest, highest: spoken.highest + 1)!,
      challenge: [UInt8](repeating: 0, count: Hello.challengeLength))
    #expect(bench.hear(.hello(hello)).contains(.register(challenge: hello.challenge)))
  }
}
