import CWebSockets
import Protocol

/// One accepted connection of a hub, from its first byte to its last. Service thread only.
final class ServerConnection {
  /// What the connection turned out to be.
  enum Role {
    /// Nothing has come from it yet.
    case fresh
    /// A part of its ClientHello has come.
    case hello
    /// It speaks HTTP, and is becoming a control plane.
    case http
    /// A bulk stream the head of whose request is not complete yet.
    case bulkHead(HeadReader)
    /// A member's control plane.
    case control(ControlChannel)
    /// A stream of the bulk plane.
    case bulk(BulkStream, BulkDirection)
    /// Refused: this response is still to be written.
    case refused(response: [UInt8])
    /// Refused and told so: what it still sends is thrown away until it closes, since closing on
    /// unread bytes would reset the connection before the refusal was read.
    case lingering(until: Duration)
    /// Ending: nothing that still arrives counts.
    case ending
  }

  /// Which of the handler's closing calls is owed.
  enum Farewell {
    case control, bulk
  }

  /// Its number.
  let id: ConnectionID
  /// Where it comes from.
  let origin: PeerOrigin
  /// When it was accepted.
  let since: Duration
  /// The socket; nil only while it is being made.
  var socket: OpaquePointer?
  /// What it is.
  var role = Role.fresh
  /// What the handler has to be told when it is gone.
  var farewell: Farewell?
  /// Whether it speaks TLS.
  var isSecure = false
  /// What it may still send on the control plane.
  var rate: Allowance
  /// Whether it has sent too much, and is not read until its bucket is full.
  var isPaused = false
  /// Whether what it said before is more than can be dealt with now.
  var isHeld = false
  /// Since when the kernel takes nothing more of what was written to it; nil while it does.
  var chokedSince: Duration?
  /// Whether nothing is read of it for now.
  var isUnread: Bool { isPaused || isHeld || chokedSince != nil }
  /// When the patience with its end is over; nil until it was seen ending.
  var endsAt: Duration?

  /// A connection that has just been accepted.
  init(id: ConnectionID, from origin: PeerOrigin, limits: TransportLimits, now: Duration) {
    self.id = id
    self.origin = origin
    since = now
    rate = Allowance(perSecond: limits.messagesPerSecond, now: now)
  }

  /// Its control channel, unless it is ending.
  var control: ControlChannel? {
    if case .control(let channel) = role { channel } else { nil }
  }

  /// Its bulk stream, unless it is ending.
  var bulk: BulkStream? {
    if case .bulk(let stream, _) = role { stream } else { nil }
  }

  /// Closes it soon; what still arrives is not looked at.
  func end() {
    role = .ending
    if let socket { kill(socket) }
  }
}

/// The few HTTP responses that a hub gives.
enum HTTPResponse {
  /// The head of a down stream, whose body never ends.
  static let stream = head("200 OK", "application/octet-stream", "Cache-Control: no-store")

  /// A refusal, whole.
  static func refusal(_ status: String) -> [UInt8] {
    head(status, "text/plain", "Content-Length: \(status.utf8.count + 1)")
      + Array("\(status)\n".utf8)
  }

  private static func head(_ status: String, _ type: String, _ line: String) -> [UInt8] {
    let lines = ["HTTP/1.1 \(status)", "Content-Type: \(type)", line, "Connection: close", "", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }
}
