package import Core
package import Protocol
import System

/// Others' files that are fetched whole into the disk cache and stay there, by path: what comes to
/// lie there later is fetched too. Beside them files that are fetched once.
///
/// A thread of its own looks over what is chosen, and has what is not there read (`LeafReading`),
/// until a look finds nothing missing; then it waits for news.
package final class Keeping: Sendable {
  struct State {
    var kept: ChosenPaths
    /// What is fetched and not kept.
    var once = ChosenPaths()
    /// When to look next; nil: when there is news.
    var dueAt: Instant?
    /// Counts what a waiting thread has to look at anew.
    var changes: UInt64 = 0
    var look: UInt32 = 0
    var isStopping = false
    /// Why the last look did not end with all there.
    var obstacle: Obstacle?

    mutating func due(in time: Duration) {
      let at = MonotonicClock.now + time
      dueAt = min(dueAt ?? at, at)
      changes += 1
    }
  }

  /// Why something is not fetched.
  package enum Obstacle: Equatable, Sendable {
    /// The line to the hub is cut.
    case hub
    case ownerAway(PublicID)
    case paused
    /// What is kept has taken all that the cache may hold.
    case noRoom
    /// The disk does not take it: why.
    case disk(String)
    /// It was asked for and did not come.
    case refused
  }

  /// News is looked at after so much quiet at the latest.
  private static let quiet: Duration = .milliseconds(300)
  /// What does not come is tried again.
  private static let retry: Duration = .seconds(30)

  let namespace: Namespace
  let reading: RemoteReading
  let group: any GroupPort
  /// nil: there is none, and nothing is kept.
  package var diskCache: DiskCache? { reading.diskCache }
  let state: Monitor<State>
  private let thread = Locked<JoinableThread?>(nil)

  /// `kept`: what an earlier run was told to keep.
  init(
    _ namespace: Namespace, _ reading: RemoteReading, _ group: any GroupPort, kept: ChosenPaths
  ) {
    self.namespace = namespace
    self.reading = reading
    self.group = group
    state = Monitor(State(kept: kept))
    if !kept.isEmpty { diskCache?.holdAll() }
  }

  /// Begins to look. Throws where no thread can be started.
  func start() throws(SystemError) {
    guard diskCache != nil else { return }
    let started = try Thread.start(name: "keeping") { [self] in
      while let order = next() { look(order) }
    }
    thread.withLock { $0 = started }
    state.update { $0.due(in: .zero) }
  }

  /// Ends what is under way, and the thread.
  func stop() {
    state.update { state in
      state.isStopping = true
      state.changes += 1
    }
    thread.withLock { $0 }?.join()
  }

  /// The list changed, or somebody came back, or the line did: something may be missing that can be
  /// had. Any thread; nothing here waits.
  package func newsCame() {
    state.update { state in
      if !state.kept.isEmpty || !state.once.isEmpty { state.due(in: Self.quiet) }
    }
  }

  // MARK: Orders

  /// What is kept. Any thread.
  package var kept: ChosenPaths { state.withLock { $0.kept } }

  /// What is being fetched once. Any thread.
  package var fetched: ChosenPaths { state.withLock { $0.once } }

  /// Why the last look did not end with all there. Any thread.
  package var obstacle: Obstacle? { state.withLock { $0.obstacle } }

  /// Keeps another part of the share. Returns: all that is kept now. Any thread.
  package func keep(_ path: SharePath?) -> ChosenPaths {
    state.update { state in
      state.kept.insert(path)
      state.due(in: .zero)
      return state.kept
    }
  }

  /// Lets a part of the share go out again. Returns: what became of it, and all that is kept now.
  package func unkeep(_ path: SharePath?) -> (ChosenPaths.Removal, ChosenPaths) {
    state.update { state in
      let removal = state.kept.remove(path)
      state.due(in: .zero)
      return (removal, state.kept)
    }
  }

  /// Fetches a part of the share, once.
  package func fetch(_ path: SharePath?) {
    state.update { state in
      state.once.insert(path)
      state.due(in: .zero)
    }
  }

  // MARK: Looking

  /// What one look is over.
  struct Order {
    let kept: ChosenPaths
    let once: ChosenPaths
    let number: UInt32
  }

  /// Waits until a look is due; nil at the end.
  private func next() -> Order? {
    while true {
      let (timeout, seen) = state.withLock { state in
        (state.dueAt.map { max(.zero, $0 - MonotonicClock.now) }, state.changes)
      }
      let order = state.wait(timeout: timeout) { state -> Order?? in
        if state.isStopping { return .some(nil) }
        if let due = state.dueAt, due <= MonotonicClock.now {
          state.dueAt = nil
          state.look &+= 1
          return Order(kept: state.kept, once: state.once, number: state.look)
        }
        // Waited for too long, or too short, by now.
        return state.changes == seen ? nil : .some(nil)
      }
      if let order = order ?? nil { return order }
      if state.withLock({ $0.isStopping }) { return nil }
    }
  }

  /// One look over all that is chosen. On the thread of its own.
  private func look(_ order: Order) {
    guard let cache = diskCache else { return }
    let (others, isComplete) = namespace.read { ($0.table.others, $0.standing == .complete) }
    let look = KeepingLook(self, cache, others, order.number)
    for root in order.kept.roots { look.over(root, isKept: true) }
    var done: [SharePath?] = []
    for root in order.once.roots {
      let before = look.missing
      look.over(root, isKept: false)
      if look.missing == before { done.append(root) }
    }
    look.finish()
    if look.missing == 0, isComplete { cache.endKeeping(in: order.number) }
    state.update { state in
      for root in done where isComplete { _ = state.once.remove(root) }
      state.obstacle = look.obstacle
      if look.missing == 0 { return isComplete ? () : state.due(in: Self.retry) }
      // What came is looked for again: the disk may not have taken it.
      state.due(in: look.hasFetched && look.obstacle == nil ? .zero : Self.retry)
    }
  }

  /// Whether the thread is to end.
  var isStopping: Bool { state.withLock { $0.isStopping } }
}
