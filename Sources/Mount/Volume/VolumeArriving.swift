package import Core
import DequeModule
import Protocol
import System

/// One step of the list on its way into the tree.
struct ArrivingStep: Sendable {
  /// nil: where there are others, everything may have changed.
  var deltas: [ListDelta]? = []
  /// What others have as of then; nil where that stays as it is.
  var others: ListView?
  /// Where the list is complete by it: which word on that this is.
  var completes: UInt64?
}

/// Changes of others that are not in the tree yet, in their order.
struct ArrivingChanges: Sendable {
  /// How long the kernel may take to forget before a change is made all the same.
  private static let patience: Duration = .milliseconds(200)

  private var waiting: Deque<ArrivingStep> = []
  /// The one that is being made.
  private var current: ArrivingStep?
  private var number: UInt64 = 0
  /// Counts the words on what can be shown of the list: only the latest counts.
  private(set) var standings: UInt64 = 0
  /// What is still to forget for the current one, and until when that is waited for.
  private var forgetting = 0
  private var overdue: Duration?

  mutating func add(_ step: ArrivingStep) { waiting.append(step) }

  /// What can be shown changes: at once, or, where the list is complete, behind all that waits.
  mutating func note(_ standing: ListStanding) {
    standings += 1
    if standing == .complete { waiting.append(ArrivingStep(completes: standings)) }
  }

  /// The next one to make; nil while one is being made.
  mutating func begin() -> (number: UInt64, step: ArrivingStep)? {
    guard current == nil, let next = waiting.popFirst() else { return nil }
    current = next
    number += 1
    return (number, next)
  }

  /// The current one waits for `count` words that the kernel has forgotten something.
  mutating func wait(for count: Int, now: Duration) {
    forgetting = count
    overdue = now + Self.patience
  }

  /// One such word came. Returns: what can be made now.
  mutating func forgot(_ number: UInt64) -> ArrivingStep? {
    guard number == self.number, overdue != nil else { return nil }
    forgetting -= 1
    return forgetting == 0 ? takePrepared() : nil
  }

  /// What has waited for too long.
  mutating func takeOverdue(now: Duration) -> ArrivingStep? {
    overdue.map { now >= $0 } == true ? takePrepared() : nil
  }

  /// When `takeOverdue` finds something.
  var nextDeadline: Duration? { overdue }

  /// The current one was made.
  mutating func end() { current = nil }

  private mutating func takePrepared() -> ArrivingStep? {
    overdue = nil
    return current
  }
}

/// Others' changes, each as one step for whoever looks on.
///
/// The kernel can forget only one thing at a time. So where a change has several sides (a name goes
/// and another comes; a file is longer, and its last page is fuller), the kernel first forgets all
/// of them and is told, for this while, to remember nothing of them. Then the tree changes, under
/// one lock.
extension Volume {
  /// Others' entries came, changed or went (nil: all may have); `others`: what shows of them now.
  /// Any thread; nothing here waits.
  package func apply(_ deltas: [ListDelta]?, showing others: ListView) {
    arriving.withLock { $0.add(ArrivingStep(deltas: deltas, others: others)) }
    applyNext()
  }

  /// What can be shown of the list. A complete one shows behind all that came before this; that
  /// this member is put out, at once. Any thread; nothing here waits.
  package func stands(_ standing: ListStanding) {
    arriving.withLock { $0.note(standing) }
    if standing == .complete { return applyNext() }
    tree.withLock { $0.standing = standing }
  }

  /// Makes what has waited for too long: a program holds a page of which the kernel must forget
  /// something.
  func applyOverdue() {
    guard let step = arriving.withLock({ $0.takeOverdue(now: MonotonicClock.now) }) else {
      return
    }
    commit(step)
    applyNext()
  }

  private func applyNext() {
    while let (number, step) = arriving.withLock({ $0.begin() }) {
      if prepare(step.deltas ?? [], number) { return }
      commit(step)
    }
  }

  /// Has the kernel forget what must change in one step. Returns: false where there is nothing of
  /// that kind.
  private func prepare(_ deltas: [ListDelta], _ number: UInt64) -> Bool {
    var actions: [FetchAction] = []
    let (names, ends) = tree.withLock { tree -> ([Invalidation], [Invalidation]) in
      let growths = tree.growths(in: deltas)
      if !growths.isEmpty {
        // Under the tree's lock, or a file that is opened now might be opened as it was.
        fetcher.withLock { fetcher in
          for one in growths {
            fetcher.grew(one.old, into: one.new, now: MonotonicClock.now, &actions)
          }
        }
      }
      let ends = growths.compactMap { one in one.number.map { Invalidation.end($0, one.old.size) } }
      return (tree.withhold(deltas), ends)
    }
    perform(actions)
    let sides = [(notifier, names), (tails, ends)].filter { !$0.1.isEmpty }
    if sides.isEmpty { return false }
    arriving.withLock { $0.wait(for: sides.count, now: MonotonicClock.now) }
    for (teller, invalidations) in sides {
      teller.add(invalidations) { [self] in
        guard let step = arriving.withLock({ $0.forgot(number) }) else { return }
        commit(step)
        applyNext()
      }
    }
    return true
  }

  private func commit(_ step: ArrivingStep) {
    let now = FileTime.now
    let uncovered = changeTreeAndTell { tree in
      if let others = step.others {
        tree.apply(step.deltas ?? tree.changes(to: others), showing: others, now: now)
      }
      tree.releaseNames()
      // Under the tree's lock: whoever is put out meanwhile waits for it with a later word.
      if step.completes == arriving.withLock({ $0.standings }) { tree.standing = .complete }
      return tree.takeUncovered()
    }
    if !uncovered.isEmpty {
      looks.withLock { looks in
        for one in uncovered { looks.add(.name(one.directory, one.name), isFinished: true) }
      }
      lookIfNeeded()
    }
    arriving.withLock { $0.end() }
    followPauses()
  }
}
