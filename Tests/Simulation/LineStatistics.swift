/// What went by lines in a history.
package struct LineStatistics: Sendable {
  package var dials = 0
  package var failedDials = 0
  /// How often somebody else answered.
  package var strangers = 0
  /// Ends that opened.
  package var opened = 0
  /// Requests that went by a line, leaves that were wanted and came by one, and requests whose
  /// sender was sent to the hub.
  package var requests = 0
  package var leaves = 0
  package var shared = 0
  package var cut = 0
  package var stalled = 0
  package var moves = 0
  /// What liars said by lines, and how often that ended one.
  package var lies = 0
  package var liarsEnded = 0

  static func += (sum: inout LineStatistics, other: LineStatistics) {
    sum.dials += other.dials
    sum.failedDials += other.failedDials
    sum.strangers += other.strangers
    sum.opened += other.opened
    sum.requests += other.requests
    sum.leaves += other.leaves
    sum.shared += other.shared
    sum.cut += other.cut
    sum.stalled += other.stalled
    sum.moves += other.moves
    sum.lies += other.lies
    sum.liarsEnded += other.liarsEnded
  }
}
