/// Which file of the machine something is.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64

  /// The number by which programs know it (`st_ino`): of a file on the device `home` the one it has
  /// there, so that it is the same over moves, new content and restarts; of any other one that is
  /// not met there. The upper half belongs to what is not one's own.
  func number(home: UInt64) -> UInt64 {
    let own = device == home ? inode : inode &+ device &* 0x9e37_79b9_7f4a_7c15
    return own & ~Self.others
  }

  /// Set in the numbers of what is not one's own.
  static let others: UInt64 = 1 << 63
}
