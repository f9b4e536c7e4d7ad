import Core

/// Bytes that were read and sealed, and that the stream of each way has not taken: a reader that is
/// slow, or takes nothing, fills its own queue and nobody else's.
struct UploadQueues: Sendable {
  /// Of the hub's stream at most.
  static let hubLimit = 8 << 20
  /// Of one line, and of all of them.
  static let lineLimit = 4 << 20
  static let linesLimit = 64 << 20

  private var bytes: [ChunkWay: Int] = [:]
  /// Lines that are served.
  private var lines = 0

  /// What all wait for, bytes.
  var total: Int { bytes.values.reduce(0, +) }

  mutating func add(_ count: Int, to way: ChunkWay) { bytes[way, default: 0] += count }

  mutating func take(_ count: Int, from way: ChunkWay) {
    guard let before = bytes[way] else { return }
    bytes[way] = before > count ? before - count : nil
  }

  func isFull(_ way: ChunkWay) -> Bool {
    let share = max(Self.lineLimit / 8, Self.linesLimit / max(1, lines))
    let limit = way == .hub ? Self.hubLimit : min(Self.lineLimit, share)
    return bytes[way, default: 0] >= limit
  }

  mutating func opened() { lines += 1 }

  /// What waited for a line is gone with it.
  mutating func closed(_ way: ChunkWay) {
    bytes[way] = nil
    if way != .hub { lines -= 1 }
  }
}
