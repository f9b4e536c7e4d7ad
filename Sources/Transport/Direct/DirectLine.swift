import CWebSockets
import Protocol

/// One connection between two members, from its first byte to its last. Service thread only.
final class DirectLine {
  let id: UInt64
  let since: Duration
  /// Of the attempt that began it; nil: the other end did.
  let dial: UInt64?
  /// Where it leads to, or comes from.
  var address: String
  /// Where it comes from; nil of one that was dialled.
  let origin: PeerOrigin?
  var socket: OpaquePointer?
  /// nil before it is connected.
  var handshake: DeviceHandshake?
  /// Once the handshake is complete.
  var stream: BulkStream?
  /// Whether the handler vouches for it.
  var isAdmitted = false
  /// When a frame last went or came.
  var used: Duration
  /// Whether the handler is told of its end.
  var owesFarewell = false
  var isEnding = false
  /// Why it ends.
  var why = "the other end closed it"

  init(
    id: UInt64, dial: UInt64?, address: String, origin: PeerOrigin?, now: Duration
  ) {
    self.id = id
    self.dial = dial
    self.address = address
    self.origin = origin
    since = now
    used = now
  }

  /// Closes it soon; what still arrives is not looked at.
  func end(_ why: String) {
    if !isEnding { self.why = why }
    isEnding = true
    if let socket { kill(socket) }
  }
}

/// One try to reach a member at any of its addresses (RFC 8305).
struct Dial {
  /// Whom it is to.
  let key: [UInt8]
  /// Addresses that were not tried yet.
  var rest: ArraySlice<LineTarget>
  /// Lines that are being made.
  var lines: Set<UInt64> = []
  var reasons: [String] = []
  /// When the next address is tried, though those before may still answer.
  var nextAt: Duration
  let until: Duration
}
