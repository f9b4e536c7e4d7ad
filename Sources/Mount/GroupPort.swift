package import Core
package import Protocol

/// What the mount needs of the group. Any thread.
///
/// What changes the own entries is called with the namespace locked, so that the group hears of
/// changes in the order in which they were made: it is noted only. `drain`, which follows with no
/// lock held, does it, and calls whoever waits for the answer.
package protocol GroupPort: AnyObject, Sendable {
  // MARK: Noted, with the namespace locked

  /// Announces an own entry or a new state of one.
  func share(_ entry: Entry)
  /// The same, and calls `done` once, with no lock held, behind this: acked, refused, or too late.
  func share(
    _ entry: Entry, timeout: Duration, _ done: @escaping @Sendable (ChangeOutcome) -> Void)
  /// Takes an own entry back.
  func unshare(_ id: EntryID)
  /// Renames an own entry and what lies below it.
  func rename(_ id: EntryID, to path: SharePath)

  // MARK: With no lock held

  /// Does what the other calls noted.
  func drain()
  /// All that the own folder has was shared since the process began. Called once.
  func sharedAll()
  /// This device's name, for conflict names.
  var deviceName: DeviceName { get }
  /// What a member is called; empty where that is not known.
  func name(of member: PublicID) -> String
  /// Whether a member can be reached, in the hub's word.
  func presence(of member: PublicID) -> Presence
  /// Whether somebody is there who can answer changes now.
  var answersChanges: Bool { get }
  /// Whether the group has the latest state of an own entry.
  func isAcked(_ id: EntryID) -> Bool
  /// Asks for leaves, by some way.
  func request(_ request: ChunkRequest, by way: ChunkWay)
  /// Sends a leaf by the way that its asker came, or says why it does not come.
  func upload(_ frame: [UInt8], by way: ChunkWay)
  func uploadFailed(_ failure: ChunkFailure, by way: ChunkWay)
}
