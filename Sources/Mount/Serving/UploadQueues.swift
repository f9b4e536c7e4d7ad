import Core

/// Bytes that were read and sealed, and that the stream of each way has not taken: a reader that is
/// slow, or takes nothing, fills its own queue and nobody else's.
struct UploadQueues: Sendable {
  /// Of the hub's stream at most.
  static let hubLimit = 8 << 20
  /// Of one line, and of all of them.
  static let lineLimit = 4 << 20
  static let linesLimit = 64 << 20

  private var bytes: [ChunkWay: Int] = [.hub: 0]

  /// What goes to a line that is gone waits for nobody.
  mutating func add(_ count: Int, to way: ChunkWay) {
    if let before = bytes[way] { bytes[way] = before + count }
  }

  mutating func take(_ count: Int, from way: ChunkWay) {
    if let before = bytes[way] { bytes[way] = max(0, before - count) }
  }

  func isFull(_ way: ChunkWay) -> Bool {
    let share = max(Self.lineLimit / 8, Self.linesLimit / max(1, bytes.count - 1))
    let limit = way == .hub ? Self.hubLimit : min(Self.lineLimit, share)
    return bytes[way, default: 0] >= limit
  }

  mutating func opened(_ line: LineID) { bytes[.line(line)] = 0 }

  /// What waited for a way is gone; a line with it.
  mutating func closed(_ way: ChunkWay) { bytes[way] = way == .hub ? 0 : nil }
}
