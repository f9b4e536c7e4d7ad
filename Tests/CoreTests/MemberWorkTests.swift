import Core
import Glibc
import Protocol
import Testing

/// What a member does for many changes at once costs as many times what it does for one.
///
/// Work is told by the processor time of this thread, and only as a ratio: four times as much may
/// cost at most seven times as much, where what is not linear costs sixteen times. The least of
/// some runs, since others use the machine.
@Suite(.serialized) struct MemberWorkTests {
  /// A member, and what it sent that is not answered, in order.
  private struct Bench {
    var member = Member(isMaster: false, incarnation: 7)
    var sent: [Message] = []
    var asked = ListCursor.start

    mutating func act(_ body: (inout Member, inout [MemberAction]) -> Void) {
      var actions: [MemberAction] = []
      body(&member, &actions)
      for case .send(let message) in actions {
        if case .askFiles(let question) = message {
          asked = question.cursor
        } else {
          sent.append(message)
        }
      }
    }
  }

  private static let few = 2_500
  private static let many = 4 * few

  private func spent(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    body()
    return now() - start
  }

  private func expectLinear(
    _ what: String, isSent: Bool, waits: Bool = false, _ work: (inout Bench, Int) -> Void
  ) {
    func least(_ count: Int) -> Double {
      (0..<3).map { _ in
        var bench = isSent ? unanswered(count, waits: waits) : unheard(count, waits: waits)
        return spent { work(&bench, count) }
      }.min()!
    }
    let few = least(Self.few)
    let many = least(Self.many)
    // Linear is 4 times as much, quadratic 16 times.
    #expect(many < 9 * few, "\(what): \(Self.few) cost \(few) s, \(Self.many) cost \(many) s")
  }

  private func file(_ number: Int) -> Entry { entry(UInt64(number) + 1, "folder/file\(number)") }

  /// A member that the group has not answered yet, with files of its own.
  private func unheard(_ count: Int, waits: Bool = false) -> Bench {
    var bench = Bench()
    for number in 0..<count {
      let one = file(number)
      bench.act { $0.share(one, now: .zero, into: &$1) }
      if !waits { continue }
      bench.act {
        $0.wait(for: one.id, token: UInt64(number), deadline: .seconds(30), into: &$1)
      }
    }
    return bench
  }

  /// The same, connected: its adds were sent, as many as may be, and not answered.
  private func unanswered(_ count: Int, waits: Bool = false) -> Bench {
    var bench = unheard(count, waits: waits)
    let ack = ClientRegisterAck(publicID: alice, admission: .approved)
    for message: Message in [.clientRegisterAck(ack), .online([.master])] {
      bench.act { $0.received(message, now: .zero, into: &$1) }
    }
    let page = FilesPage(
      after: bench.asked,
      next: ListCursor(order: ListOrder(epoch: 1, seq: 0), offset: 0, began: 0), more: false,
      restarts: true, body: PageBody(asker: alice, items: []).encoded())
    bench.act { $0.received(.filesPage(page), now: .zero, into: &$1) }
    return bench
  }

  /// Answers all that is sent until nothing is left: taken or, where it `refuses`, not.
  private func answerAll(_ bench: inout Bench, refuses: Bool = false) {
    var next = 0
    while next < bench.sent.count, let one = try? ProposedChange.decode(bench.sent[next]) {
      next += 1
      let ordered = bench.member.replica.placed(
        answer(one.change, refuses: refuses), from: alice, one.proposal.transfer)
      bench.act { $0.received(ordered, now: .zero, into: &$1) }
    }
    #expect(bench.member.pendingChanges == 0)
  }

  private func answer(_ change: ProposedChange, refuses: Bool) -> Change {
    switch change {
    case .add(let entries, _) where refuses:
      .added([], rejected: entries.map { RejectedEntry(entry: $0.id, reason: .exists) })
    case .add(let entries, _): .added(entries, rejected: [])
    case .remove(let id): .removed(id)
    case .rename(let id, let path): .renamed(id, to: path, rejection: refuses ? .exists : nil)
    case .name(let name): .named(name)
    }
  }

  @Test func `to remove what is not announced yet`() {
    for isSent in [false, true] {
      expectLinear("removals", isSent: isSent) { bench, count in
        for number in 0..<count {
          bench.act { $0.unshare(file(number).id, now: .zero, into: &$1) }
        }
        #expect(bench.member.ownCount == 0)
      }
    }
  }

  @Test func `to make and remove as fast as it can`() {
    expectLinear("pairs", isSent: true) { bench, count in
      for number in 0..<count {
        let one = file(1_000_000 + number)
        bench.act { $0.share(one, now: .zero, into: &$1) }
        bench.act { $0.unshare(one.id, now: .zero, into: &$1) }
      }
    }
  }

  @Test func `to rename and to replace`() {
    expectLinear("renames", isSent: true) { bench, count in
      for number in 0..<count {
        bench.act { $0.rename(file(number).id, to: path("moved\(number)"), now: .zero, into: &$1) }
      }
      for number in stride(from: 1, to: count, by: 2) {
        bench.act {
          $0.rename(file(number).id, to: path("moved\(number - 1)"), now: .zero, into: &$1)
        }
      }
      #expect(bench.member.ownCount == count / 2)
    }
  }

  @Test func `to wait for many answers`() {
    expectLinear("waits that end by time", isSent: false, waits: true) { bench, count in
      for second in 0..<100 {
        _ = bench.member.nextDeadline
        bench.act { $0.tick(now: .milliseconds(second), into: &$1) }
      }
      var actions: [MemberAction] = []
      bench.member.tick(now: .seconds(31), into: &actions)
      #expect(actions.count == count)
    }
    expectLinear("waits that are answered", isSent: true, waits: true) { bench, _ in
      answerAll(&bench)
    }
  }

  @Test func `to hear that all of it was refused`() {
    expectLinear("refusals", isSent: true, waits: true) { bench, _ in
      answerAll(&bench, refuses: true)
      #expect(bench.member.ownCount == 0)
    }
  }
}
