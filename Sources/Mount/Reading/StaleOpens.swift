import DequeModule

/// Threads of programs that opened a file which was replaced just then.
///
/// The kernel looks such a name up again, but once: whoever is kept waiting in between for two
/// replacements would get an error for a name that is there at every moment. So the second time he
/// gets the version that he was just told of.
struct StaleOpens {
  /// Threads that are remembered: each for as long as the kernel takes to ask again.
  private static let limit = 256

  private var threads: [Int32: UInt64] = [:]
  private var order: Deque<Int32> = []

  /// Whether a thread gets what it opens, though that is replaced by now. `lookup`: the number of
  /// the last look-up that led there; `latest`: of the last of all.
  mutating func mayOpen(_ thread: Int32, lookedUpAt lookup: UInt64, latest: UInt64) -> Bool {
    if let failed = threads[thread], lookup > failed {
      threads[thread] = nil
      order.removeAll { $0 == thread }
      return true
    }
    if threads.updateValue(latest, forKey: thread) == nil { order.append(thread) }
    if order.count > Self.limit { threads[order.removeFirst()] = nil }
    return false
  }
}
