import Control
import Testing

/// What `fsharectl watch` asks, and when.
struct ControlDeskTests {
  private var desk = ApprovalDesk()

  private func member(
    _ number: UInt32, name: String = "n", state: MemberReport.State = .waiting,
    presence: MemberReport.Presence = .online, words: String = "w"
  ) -> MemberReport {
    MemberReport(
      publicID: number, name: name, system: "Linux", state: state, presence: presence,
      isSelf: false, isMaster: false, entries: 0, words: words, address: "192.0.2.1")
  }

  @Test mutating func `one question is open at a time`() {
    #expect(desk.seen([]) == ApprovalDesk.Shown())
    #expect(!desk.isAsking)
    let both = [member(1), member(2)]
    #expect(desk.seen(both).question?.hasPrefix("client 1 ") == true)
    #expect(desk.seen(both) == ApprovalDesk.Shown())
    #expect(desk.answered("a") == .approve(both[0]))
    #expect(desk.answered("a") == .unclear)
    #expect(desk.seen(both).question?.hasPrefix("client 2 ") == true)
    #expect(desk.answered(" REFUSE\r") == .refuse(both[1]))
    // Until the list shows the decision, it is not asked again.
    #expect(desk.seen(both) == ApprovalDesk.Shown())
  }

  @Test mutating func `what is no answer leaves the question open`() {
    _ = desk.seen([member(1)])
    for line in ["", "y", "yes", "approve 1", "ar", "\u{1B}a"] {
      #expect(desk.answered(line) == .unclear)
      #expect(desk.isAsking)
    }
    #expect(desk.answered("l") == .later)
    #expect(desk.seen([member(1)]) == ApprovalDesk.Shown())
  }

  @Test mutating func `a client that goes is noted, and asked about when it comes back`() {
    _ = desk.seen([member(1)])
    let gone = desk.seen([member(1, presence: .away)])
    #expect(gone == ApprovalDesk.Shown(note: "client 1 (n) has gone", question: nil))
    #expect(desk.seen([member(1)]).question != nil)
    #expect(desk.seen([]).note == "client 1 (n) has gone")
    _ = desk.seen([member(1)])
    #expect(desk.seen([member(1, state: .approved)]).note == "client 1 (n) was approved elsewhere")
  }

  @Test mutating func `another key under the same number is another question`() {
    _ = desk.seen([member(1)])
    #expect(desk.answered("l") == .later)
    _ = desk.seen([member(1, words: "x")])
    #expect(desk.isAsking)
    let other = desk.seen([member(1, words: "y")])
    #expect(other.note == "client 1 (n) has gone")
    #expect(other.question?.contains("words: y") == true)
  }

  @Test mutating func `a decision that failed is asked about again`() {
    _ = desk.seen([member(1)])
    #expect(desk.answered("a") == .approve(member(1)))
    desk.reopen(member(1))
    #expect(desk.seen([member(1)]).question != nil)
  }

  @Test mutating func `nothing of a stranger drives the terminal`() throws {
    let question = try #require(desk.seen([member(1, name: "a\u{1B}[2J\nb")]).question)
    #expect(question.contains("name: a\\x1B[2J\\x0Ab"))
    #expect(!question.contains("\u{1B}"))
    #expect(desk.seen([]).note == "client 1 (a\\x1B[2J\\x0Ab) has gone")
  }
}
