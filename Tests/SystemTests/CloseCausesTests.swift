import CLinux
import Glibc
import System
import Testing

/// Looks at programs that close a file: whatever becomes of one, whoever asks has an answer soon.
struct CloseCausesTests {
  /// What was answered, by what was asked; and a gate at which looks can be held.
  private final class Bench: Sendable {
    let answers = Monitor<[Int32: CloseCause]>([:])
    let gate = Monitor(false)

    /// Asks, and notes the answer.
    func ask(_ causes: CloseCauses, _ thread: Int32) {
      let cause = causes.ask(thread).answer { [answers] late in
        answers.update { $0[thread] = late }
      }
      if let cause { answers.update { $0[thread] = cause } }
    }

    /// The answer to one question, at most a while later.
    func answer(to thread: Int32) -> CloseCause? {
      answers.wait(timeout: .seconds(20)) { $0[thread] }
    }

    func open() { gate.update { $0 = true } }
  }

  @Test func `a look that is stuck is no answer, and holds up none behind it`() throws {
    let bench = Bench()
    defer { bench.open() }
    let causes = try CloseCauses { thread in
      if thread < 4 { _ = bench.gate.wait { $0 ? true : nil } }
      return .killed
    }
    defer { causes.stop() }
    for thread in 1...3 as ClosedRange<Int32> {
      bench.ask(causes, thread)
      #expect(bench.answer(to: thread) == .ordinary)
    }
    // One at least is looked at in time, whatever else the machine is doing.
    let isSeen = (10...200 as ClosedRange<Int32>).contains { thread in
      bench.ask(causes, thread)
      return bench.answer(to: thread) == .killed
    }
    #expect(isSeen)
  }

  @Test func `what a look says behind its time is a correction, behind what it corrects`() throws {
    let gate = Monitor(false)
    let heard = Monitor<[CloseCause]>([])
    let causes = try CloseCauses { thread in
      _ = gate.wait { $0 ? true : nil }
      return thread == 1 ? .exec : .ordinary
    }
    defer { causes.stop() }
    for thread in 1...2 as ClosedRange<Int32> {
      let question = causes.ask(
        thread, corrected: { corrected in heard.update { $0.append(corrected) } })
      let cause = question.answer { late in
        // Whoever looks may be done at any time.
        gate.update { $0 = true }
        heard.update { $0.append(late) }
      }
      if let cause { heard.update { $0.append(cause) } }
    }
    let all = heard.wait(timeout: .seconds(20)) { $0.count == 3 ? $0 : nil }
    #expect(all == [.ordinary, .exec, .ordinary] || all == [.ordinary, .ordinary, .exec])
  }

  @Test func `where all that may look are stuck, everybody is answered still`() throws {
    let bench = Bench()
    defer { bench.open() }
    let causes = try CloseCauses { _ in
      _ = bench.gate.wait { $0 ? true : nil }
      return .killed
    }
    defer { causes.stop() }
    for thread in 1...1_500 as ClosedRange<Int32> { bench.ask(causes, thread) }
    for thread in 1...1_500 as ClosedRange<Int32> { #expect(bench.answer(to: thread) == .ordinary) }
  }

  @Test func `what is asked behind the end is answered`() throws {
    let causes = try CloseCauses { _ in .killed }
    causes.stop()
    #expect(causes.ask(1).answer { _ in Issue.record("answered twice") } == .ordinary)
  }

  @Test func `a thread that goes on closes of itself, and so does one that nobody knows`() {
    #expect(CloseCause.look(at: getpid()) == .ordinary)
    #expect(CloseCause.look(at: 0) == .ordinary)
    #expect(CloseCause.look(at: Int32.max) == .ordinary)
  }
}
