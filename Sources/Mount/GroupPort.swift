package import Core
package import Protocol

/// What the mount needs of the group. Calls may be made with the volume's lock held: they note what
/// is to be done and return; `drain` then does it, and is called with no lock held. Any thread.
package protocol GroupPort: AnyObject, Sendable {
  /// Announces an own entry or a new state of one.
  func share(_ entry: Entry)
  /// The same, and calls `done` once, with no lock held: acked, refused, or too late.
  func share(
    _ entry: Entry, timeout: Duration, _ done: @escaping @Sendable (ChangeOutcome) -> Void)
  /// Takes an own entry back.
  func unshare(_ id: EntryID)
  /// All that the own folder has was shared since the process began. Called once, with no lock
  /// held.
  func sharedAll()
  /// Renames an own entry and what lies below it.
  func rename(_ id: EntryID, to path: SharePath)
  /// Does what the other calls noted.
  func drain()
  /// This device's name, for conflict names.
  var deviceName: DeviceName { get }
  /// What a member is called; empty where that is not known.
  func name(of member: PublicID) -> String
  /// Asks for leaves.
  func request(_ request: ChunkRequest)
  /// Sends a leaf to the hub, or says why it does not come.
  func upload(_ frame: [UInt8])
  func uploadFailed(_ failure: ChunkFailure)
}
