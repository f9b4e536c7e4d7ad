/// How many FUSE threads work on the own folder's disk right now, so that some are always left: a
/// disk that hangs must not keep `ls` from an answer.
struct InlineIOLimiter: Sendable {
  private let limit: Int
  private var taken = 0

  init(limit: Int) { self.limit = limit }

  /// Whether this thread may go to the disk itself; then `giveBack` must follow.
  mutating func take() -> Bool {
    guard taken < limit else { return false }
    taken += 1
    return true
  }

  mutating func giveBack() { taken -= 1 }
}
