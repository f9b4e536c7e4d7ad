/// Names a connection of a server; never reused in a process.
package typealias ConnectionID = UInt64

/// The direction of a bulk stream.
package enum BulkDirection: Sendable, Equatable {
  /// From the hub to a member.
  case down
  /// From a member to the hub.
  case up
}

/// What a hub does about its connections. Everything is called on the server's service thread.
package protocol HubServerHandler: AnyObject {
  /// A member's control plane is there. `peer` is its numeric address, `isSecure` whether it is
  /// under TLS.
  func controlOpened(_ id: ConnectionID, peer: String, isSecure: Bool)
  /// A message came.
  func controlReceived(_ id: ConnectionID, message: [UInt8])
  /// The connection is gone; called once for each that was opened.
  func controlClosed(_ id: ConnectionID)
  /// Somebody wants a bulk stream with this 32-byte ticket; nil refuses with status 403.
  func bulkTicket(_ ticket: [UInt8], direction: BulkDirection, id: ConnectionID) -> BulkGrant?
  /// A frame came on an up stream; its four length bytes are still before it.
  func bulkReceived(_ id: ConnectionID, frame: [UInt8])
  /// So many bytes of frames (length bytes included) were handed to the kernel since the last call.
  func bulkSent(_ id: ConnectionID, bytes: Int)
  /// The stream is gone; called once for each whose ticket was accepted.
  func bulkClosed(_ id: ConnectionID)
  /// The time given to `setTimer` has come.
  func timerFired()
}
