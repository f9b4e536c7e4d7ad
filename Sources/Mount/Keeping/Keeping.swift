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
    /// Before this no news is looked at.
    var restsUntil: Instant = .zero
    /// Leaves that the last look missed and asked for; nil: it asked for none.
    var missed: UInt64?
    /// Why what was asked for is not here all the same; nil where it is, or may come yet.
    var refusal: Obstacle?

    mutating func due(in time: Duration) { due(at: MonotonicClock.now + time) }

    mutating func due(at time: Instant) {
      dueAt = min(dueAt ?? time, time)
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

  /// News is looked at after so much time,
  private static let quiet: Duration = .milliseconds(300)
  /// but for so many times that of a look there is none behind it: of a million files one takes
  /// seconds.
  private static let rest = 10
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
      guard !state.kept.isEmpty || !state.once.isEmpty else { return }
      state.due(at: max(MonotonicClock.now + Self.quiet, state.restsUntil))
    }
  }

  // MARK: Orders

  /// What is kept. Any thread.
  package var kept: ChosenPaths { state.withLock { $0.kept } }

  /// What is being fetched once. Any thread.
  package var fetched: ChosenPaths { state.withLock { $0.once } }

  /// Keeps exactly this from now on. Any thread.
  package func keep(_ kept: ChosenPaths) {
    state.update { state in
      state.kept = kept
      state.due(in: .zero)
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
    let start = MonotonicClock.now
    let (others, isComplete) = namespace.read { ($0.table.others, $0.standing == .complete) }
    let look = KeepingLook(self, cache, others, order.number)
    for root in order.kept.roots { look.over(root, isKept: true) }
    var done: [SharePath?] = []
    for root in order.once.roots {
      let before = look.missing
      look.over(root, isKept: false)
      if look.missing == before { done.append(root) }
    }
    let time = MonotonicClock.now - start
    look.finish()
    // All that is here of what is kept was met, whatever is missing.
    if isComplete, !isStopping { cache.endKeeping(in: order.number) }
    state.update { state in
      for root in done where isComplete { _ = state.once.remove(root) }
      state.restsUntil = MonotonicClock.now + time * Self.rest
      // What was asked for is looked for again: the disk may not have taken it. As often as that
      // makes it less.
      let helps = look.hasAsked && state.missed.map { look.missing < $0 } ?? true
      state.missed = look.hasAsked && helps ? look.missing : nil
      state.refusal =
        look.hasAsked && !helps ? cache.fault.map { .disk("\($0)") } ?? .refused : nil
      if look.missing > 0 || !isComplete {
        state.due(in: look.hasAsked && helps ? .zero : Self.retry)
      }
    }
  }

  /// Why it makes no sense to ask for a file now.
  func obstacle(to content: Content, at path: SharePath, _ cache: DiskCache) -> Obstacle? {
    if let fault = cache.fault { return .disk("\(fault)") }
    if cache.keptBytes + Limits.leaf > cache.limit { return .noRoom }
    if !reading.isLinkReady { return .hub }
    if group.presence(of: content.owner) != .online { return .ownerAway(content.owner) }
    if reading.pausedPaths.covers(path) { return .paused }
    return nil
  }

  /// Whether the thread is to end.
  var isStopping: Bool { state.withLock { $0.isStopping } }
}
