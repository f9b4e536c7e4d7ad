import DequeModule
import Glibc
import Synchronization

/// Finds out why programs close files, while their requests are not answered.
///
/// Whoever asks gets an answer in `patience`, whatever becomes of the look: it may have to wait for
/// what the asking program holds, and that lets go only when it is answered. So the looks have
/// threads of their own. One that is stuck is replaced, or it would hold up all after it, and ends
/// when it comes back.
package final class CloseCauses: Sendable {
  /// How long a request waits for a look at its program.
  package static let patience: Duration = .milliseconds(20)
  /// Looks that wait at most: more than the kernel has requests of this kind under way.
  static let queueLimit = 1_024
  /// Threads that look at most, stuck ones among them: each is a program that hangs in a way nobody
  /// has seen yet.
  static let threadLimit = 16
  private let queue: Monitor<LookingQueue>
  private let clock: Monitor<LookingClock>
  private let look: @Sendable (Int32) -> CloseCause

  /// Starts the threads. `look` looks at a thread of a program, by its id.
  package init(
    look: @escaping @Sendable (Int32) -> CloseCause = { CloseCause.look(at: $0) }
  ) throws(SystemError) {
    self.look = look
    let queue = Monitor(LookingQueue())
    self.queue = queue
    let clock = Monitor(LookingClock())
    self.clock = clock
    try Self.startLooking(queue, look)
    do throws(SystemError) {
      _ = try Thread.start(name: "closers-clock") { keepTime(clock, queue, look) }
    } catch {
      stop()
      throw error
    }
  }

  deinit { stop() }

  /// Ends the threads, without waiting for one that is stuck. What is asked afterwards counts as
  /// ordinary.
  package func stop() {
    queue.update { $0.isStopping = true }
    clock.update { $0.isStopping = true }
  }

  /// Asks about a thread of a program. Too much at once, or no answer in time, is `.ordinary`;
  /// `corrected` gets what the look says after all, where that is something else.
  package func ask(
    _ thread: Int32, corrected: @escaping @Sendable (CloseCause) -> Void = { _ in }
  ) -> CloseQuestion {
    let now = MonotonicClock.now
    let question = CloseQuestion(thread, deadline: now + Self.patience, corrected)
    guard queue.withLock({ $0.push(question) }) else {
      question.answer(.ordinary)
      return question
    }
    queue.signal()
    if clock.withLock({ $0.add(question) }) { clock.signal() }
    return question
  }

  fileprivate static func startLooking(
    _ queue: Monitor<LookingQueue>, _ look: @escaping @Sendable (Int32) -> CloseCause
  ) throws(SystemError) {
    queue.withLock { $0.threads += 1 }
    do throws(SystemError) {
      _ = try Thread.start(name: "closers") { answerQuestions(queue, look) }
    } catch {
      queue.withLock { $0.threads -= 1 }
      throw error
    }
  }
}

/// One question, answered by a look or by the end of its time, whichever comes first.
package final class CloseQuestion: Sendable {
  private enum State {
    case asked
    case waitedFor(@Sendable (CloseCause) -> Void)
    /// Its time is over, and whoever waits is being told; what the look has said since.
    case expiring(CloseCause?)
    case answered(CloseCause)
  }

  /// How long whoever asks gives way for an answer before it goes on to other work. Nearly all come
  /// in less, and cost no change of threads then.
  private static let soon: Duration = .microseconds(200)

  fileprivate let thread: Int32
  fileprivate let deadline: Duration
  private let corrected: @Sendable (CloseCause) -> Void
  private let state = Locked(State.asked)
  /// Whether there is an answer: looked at without the lock, which whoever answers needs.
  private let isAnswered = Atomic(false)

  fileprivate init(
    _ thread: Int32, deadline: Duration, _ corrected: @escaping @Sendable (CloseCause) -> Void
  ) {
    self.thread = thread
    self.deadline = deadline
    self.corrected = corrected
  }

  /// The answer, where it comes at once; else it is given to `late`, on another thread, in
  /// `CloseCauses.patience` at the latest. Asked for once.
  package func answer(late: @escaping @Sendable (CloseCause) -> Void) -> CloseCause? {
    let end = MonotonicClock.now + Self.soon
    while !isAnswered.load(ordering: .acquiring) {
      if MonotonicClock.now >= end { break }
      sched_yield()
    }
    return state.withLock { state in
      if case .answered(let cause) = state { return cause }
      state = .waitedFor(late)
      return nil
    }
  }

  /// Whether nobody has answered yet.
  fileprivate var isOpen: Bool { !isAnswered.load(ordering: .acquiring) }

  /// A look's answer. Behind the end of the time it is a correction, and comes behind what it
  /// corrects.
  fileprivate func answer(_ cause: CloseCause) {
    defer { isAnswered.store(true, ordering: .releasing) }
    let tell = state.withLock { state -> (@Sendable (CloseCause) -> Void)? in
      switch state {
      case .asked:
        state = .answered(cause)
        return nil
      case .waitedFor(let body):
        state = .answered(cause)
        return body
      case .expiring:
        state = .expiring(cause)
        return nil
      case .answered(let before):
        return before == cause ? nil : corrected
      }
    }
    tell?(cause)
  }

  /// Its time is over.
  fileprivate func expire() {
    defer { isAnswered.store(true, ordering: .releasing) }
    let body = state.withLock { state -> (@Sendable (CloseCause) -> Void)? in
      switch state {
      case .asked:
        state = .answered(.ordinary)
        return nil
      case .waitedFor(let body):
        state = .expiring(nil)
        return body
      case .expiring, .answered:
        return nil
      }
    }
    guard let body else { return }
    body(.ordinary)
    let later = state.withLock { state -> CloseCause? in
      defer { state = .answered(.ordinary) }
      return if case .expiring(let cause) = state { cause } else { nil }
    }
    if let later, later != .ordinary { corrected(later) }
  }
}

/// What the threads that look share.
private struct LookingQueue {
  private var waiting: Deque<CloseQuestion> = []
  /// Those whose time was over before anybody looked: an answer can only correct by now.
  private var late: Deque<CloseQuestion> = []
  /// Those that run, stuck ones among them.
  var threads = 0
  var isStopping = false

  mutating func push(_ question: CloseQuestion) -> Bool {
    guard !isStopping, waiting.count < CloseCauses.queueLimit else { return false }
    waiting.append(question)
    return true
  }

  /// The next that somebody waits for; where there is none, one that is late.
  mutating func pop() -> CloseQuestion? {
    while let question = waiting.popFirst() {
      if question.isOpen { return question }
      if late.count == CloseCauses.queueLimit { late.removeFirst() }
      late.append(question)
    }
    return late.popFirst()
  }

  /// Whether somebody has waited for so long that all who look must be stuck.
  func isStuck(now: Duration) -> Bool { waiting.contains { $0.deadline <= now } }
}

/// Questions in the order of their deadlines.
private struct LookingClock {
  private var asked: Deque<CloseQuestion> = []
  var isStopping = false

  var next: Duration? { asked.first?.deadline }

  /// Returns: whether nobody keeps time yet.
  mutating func add(_ question: CloseQuestion) -> Bool {
    let isFirst = asked.isEmpty
    asked.append(question)
    return isFirst
  }

  /// Those whose time is over, and at the end of all every one.
  mutating func takeDue(now: Duration) -> [CloseQuestion] {
    var due: [CloseQuestion] = []
    while let first = asked.first, isStopping || first.deadline <= now {
      due.append(first)
      asked.removeFirst()
    }
    return due
  }
}

private func answerQuestions(
  _ queue: Monitor<LookingQueue>, _ look: @Sendable (Int32) -> CloseCause
) {
  while true {
    // The outer optional is `wait`'s time-out, which cannot happen here.
    let next: CloseQuestion?? = queue.wait { queue in
      if let question = queue.pop() { return .some(.some(question)) }
      return queue.isStopping ? .some(.none) : .none
    }
    guard case .some(.some(let question)) = next else { return }
    question.answer(look(question.thread))
    if MonotonicClock.now < question.deadline { continue }
    // It was replaced if anybody waited behind it.
    let isSpare = queue.withLock { queue in
      defer { if queue.threads > 1 { queue.threads -= 1 } }
      return queue.threads > 1
    }
    if isSpare { return }
  }
}

private func keepTime(
  _ clock: Monitor<LookingClock>, _ queue: Monitor<LookingQueue>,
  _ look: @escaping @Sendable (Int32) -> CloseCause
) {
  while true {
    let next = clock.withLock { $0.isStopping ? .zero : $0.next }
    let now = MonotonicClock.now
    // The only one who waits here: woken for the first question and at the end.
    if next.map({ $0 > now }) ?? true {
      _ = clock.wait(timeout: next.map { $0 - now }) { clock in
        clock.isStopping || (next == nil && clock.next != nil) ? true : nil
      }
    }
    let end = MonotonicClock.now
    let (due, isStopping) = clock.withLock { ($0.takeDue(now: end), $0.isStopping) }
    let isStuck = queue.withLock {
      $0.isStuck(now: end) && $0.threads < CloseCauses.threadLimit
    }
    for question in due { question.expire() }
    if isStopping { return }
    // Without another thread those behind it have no look, and go on as ordinary ones.
    if isStuck { try? CloseCauses.startLooking(queue, look) }
  }
}
