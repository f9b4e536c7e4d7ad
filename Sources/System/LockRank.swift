import CLinux

/// In which order one thread may take several locks: each with a higher rank than all it holds.
///
/// Two threads that take two locks in different orders wait for each other for ever, and only if
/// they come at the same time; so the order itself is checked, at every lock, where
/// `FSHAREFS_CHECK_LOCKS` is set, as all tests do: taking one out of order traps.
package enum LockRank: UInt8, Sendable {
  /// Changes of names in the own folder, one at a time; held while the disk works.
  case names = 1
  /// What is paused: held while the namespace is asked which files that are, and the fetcher is
  /// told.
  case pauses
  /// The namespace of the mount.
  case namespace
  /// Member and master of a process, which note what the mount tells them.
  case session
  /// Whoever holds one of these takes no other lock.
  case leaf

  /// Whether the order is checked in this process.
  @usableFromInline
  package static let isChecked = Environment.get("FSHAREFS_CHECK_LOCKS") == "1"

  /// This thread is about to take a lock. Traps where it holds one of the same rank or a higher.
  @usableFromInline
  package func enter() {
    let held = clinux_held_locks().pointee
    precondition(held >> rawValue == 0, "a lock of rank \(self) is taken while holding \(held)")
    clinux_held_locks().pointee |= 1 << UInt32(rawValue)
  }

  /// It has given it back.
  @usableFromInline
  package func leave() { clinux_held_locks().pointee &= ~(1 << UInt32(rawValue)) }
}
