package import Core
import Protocol
import System

/// Others' changes, each as one step for whoever looks on.
///
/// The kernel can forget only one thing at a time. So where a change has several sides (a name goes
/// and another comes; a file is longer, and its last page is fuller), the kernel first forgets all
/// of them and is told, for this while, to remember nothing of them. Then the tree changes, under
/// one lock.
package final class Incoming: Sendable {
  private let namespace: Namespace
  private let reading: RemoteReading
  private let keeping: Keeping
  private let rescans: RescanQueue
  /// What is not in the namespace yet.
  private let waiting = Locked(ArrivingChanges(), rank: .leaf)

  init(
    _ namespace: Namespace, _ reading: RemoteReading, _ keeping: Keeping, _ rescans: RescanQueue
  ) {
    self.namespace = namespace
    self.reading = reading
    self.keeping = keeping
    self.rescans = rescans
  }

  /// When `applyOverdue` is due.
  var nextDeadline: Instant? { waiting.withLock { $0.nextDeadline } }

  /// Others' entries came, changed or went (nil: all may have); `others`: what shows of them now.
  /// Any thread; nothing here waits.
  package func apply(_ deltas: [ListDelta]?, showing others: ListView) {
    waiting.withLock { $0.add(ArrivingStep(deltas: deltas, others: others)) }
    applyNext()
  }

  /// What can be shown of the list. A complete one shows behind all that came before this; that
  /// this member is put out, at once. Any thread; nothing here waits.
  package func stands(_ standing: ListStanding) {
    waiting.withLock { $0.note(standing) }
    if standing == .complete { return applyNext() }
    namespace.change { $0.standing = standing }
  }

  /// Makes what has waited for too long: a program holds a page of which the kernel must forget
  /// something.
  func applyOverdue() {
    guard let step = waiting.withLock({ $0.takeOverdue(now: MonotonicClock.now) }) else {
      return
    }
    commit(step)
    applyNext()
  }

  private func applyNext() {
    while let (number, step) = waiting.withLock({ $0.begin() }) {
      if prepare(step.deltas ?? [], number) { return }
      commit(step)
    }
  }

  /// Has the kernel forget what must change in one step. Returns: false where there is nothing of
  /// that kind.
  private func prepare(_ deltas: [ListDelta], _ number: UInt64) -> Bool {
    var actions: [FetchAction] = []
    let (names, ends) = namespace.change { tree -> ([Invalidation], [Invalidation]) in
      let growths = tree.growths(in: deltas)
      if !growths.isEmpty {
        // Under the tree's lock, or a file that is opened now might be opened as it was.
        reading.grow(growths, &actions)
      }
      let ends = growths.compactMap { one in one.number.map { Invalidation.end($0, one.old.size) } }
      return (tree.makeUncacheable(deltas), ends)
    }
    reading.perform(actions)
    let sides = [names, ends].count { !$0.isEmpty }
    if sides == 0 { return false }
    waiting.withLock { $0.wait(for: sides, now: MonotonicClock.now) }
    let forgotten = { @Sendable [self] () -> Void in
      guard let step = waiting.withLock({ $0.forgot(number) }) else { return }
      commit(step)
      applyNext()
    }
    if !names.isEmpty { namespace.forgetNames(names, then: forgotten) }
    if !ends.isEmpty { namespace.forgetEnds(ends, then: forgotten) }
    return true
  }

  private func commit(_ step: ArrivingStep) {
    let now = FileTime.now
    let uncovered = namespace.changeAndTell { tree in
      if let others = step.others {
        tree.apply(step.deltas, showing: others, now: now)
      }
      tree.releaseNames()
      // Under the tree's lock: whoever is put out meanwhile waits for it with a later word.
      if step.completes == waiting.withLock({ $0.standings }) { tree.standing = .complete }
      return tree.takeUncovered()
    }
    if !uncovered.isEmpty {
      rescans.add(uncovered.map { .name($0.directory, $0.name) }, isFinished: true)
      rescans.wake()
    }
    waiting.withLock { $0.end() }
    reading.followPauses()
    keeping.newsCame()
  }
}
