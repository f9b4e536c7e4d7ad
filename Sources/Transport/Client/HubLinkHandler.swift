package import Protocol

/// Why a link has ended.
package enum LinkFailure: Error, Sendable, Equatable {
  /// Nobody answers there.
  case unreachable(String)
  /// There is no machine of that name.
  case unknownHost(String)
  /// Somebody answers, but no hub.
  case notAHub(String)
  /// The hub closed the connection with a code, or refused a bulk stream with an HTTP status.
  case refused(code: UInt16, reason: String)
  /// The hub's TLS key is not the one that is known.
  case untrusted(expected: Fingerprint, seen: Fingerprint)
  /// The connection was there and broke.
  case lost(String)
  /// `disconnect` or `stop` was called.
  case closed
}

extension LinkFailure: CustomStringConvertible {
  /// One line for the user.
  package var description: String {
    switch self {
    case .unreachable(let why): "the hub cannot be reached: \(why)"
    case .unknownHost(let name): "there is no machine of the name '\(name)': is it spelt right?"
    case .notAHub(let why): "this is not a hub: \(why)"
    case .refused(let code, let reason): "the hub refused: \(reason) (\(code))"
    case .untrusted(let expected, let seen):
      "this is not the hub that is known: its TLS key is \(seen), not \(expected)"
    case .lost(let why): "the connection to the hub broke: \(why)"
    case .closed: "the connection to the hub was closed"
    }
  }
}

/// What a member does about its link. Everything is called on the link's service thread.
package protocol HubLinkHandler: AnyObject {
  /// The control plane is there. `hubKey` names the hub's TLS key, which is pinned from now on; nil
  /// without TLS.
  func linkOpened(hubKey: Fingerprint?, route: String?)
  /// A message came.
  func linkReceived(message: [UInt8])
  /// A frame came; its four length bytes are still before it.
  func linkReceived(frame: consuming [UInt8])
  /// Both bulk streams are up.
  func linkBulkReady()
  /// So many bytes of frames (length bytes included) were handed to the kernel since the last call.
  func linkSent(bulkBytes: Int)
  /// Control plane and streams are gone, and so is what was queued. Once for each `connect`.
  func linkClosed(_ failure: LinkFailure)
  /// The time given to `setTimer` has come.
  func linkTimerFired()
}
