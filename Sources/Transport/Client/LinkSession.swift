import CWebSockets
import Protocol
import System

/// One connection of a link to its hub: the control plane and, later, two bulk streams. Service
/// thread only.
final class LinkSession {
  /// A socket of the session that is being made, open, or gone.
  final class Leg {
    /// Its number; never used again.
    let id: UInt64
    /// When it was begun.
    let since: Duration
    /// The socket; nil while it is being made.
    var socket: OpaquePointer?
    /// Its TLS, where libwebsockets does not do it.
    var pipe: TLSPipe?

    /// A leg that has just been begun.
    init(id: UInt64, now: Duration) {
      self.id = id
      since = now
    }
  }

  /// The hub's address that is connected to, in numbers; nil while its name is looked up.
  var route: String?
  /// Its other addresses, to be tried after this one.
  var routes: ArraySlice<String> = []
  /// Those that the name stands for.
  var named: Set<String> = []
  /// The control plane, until it is gone.
  var controlLeg: Leg?
  /// The stream from the hub, until it is gone.
  var downLeg: Leg?
  /// The stream to the hub, until it is gone.
  var upLeg: Leg?
  /// The control plane, once it is open.
  var control: ControlChannel?
  /// The stream from the hub, once it is connected.
  var down: BulkStream?
  /// The stream to the hub, once it is connected.
  var up: BulkStream?
  /// The hub's answer on the down stream; nil once it was accepted.
  var downHead: HeadReader? = HeadReader()
  /// The hub's answer on the up stream, which comes only if it refuses.
  var upHead = HeadReader()
  /// The tickets of the streams that are to be opened.
  var tickets: Tickets?

  /// Of both streams; `tags`: of their frames, where they have any.
  struct Tickets {
    let down: [UInt8]
    let up: [UInt8]
    let tags: (down: any FrameTags, up: any FrameTags)?
  }

  /// Whether the handler knows that both streams are up.
  var isBulkReady = false
  /// Why the session ends; nil while it lives.
  var failure: LinkFailure?
  /// The code and reason of the hub's close frame.
  var closeFrame: (code: UInt16, reason: String)?

  /// The TLS key that the hub has shown.
  var hubKey: Fingerprint?
  /// Set when that is another than the known one.
  var mistrust: LinkFailure?

  /// A bulk stream died: the session ends with this failure then, unless the hub says more first.
  var doom: (failure: LinkFailure, deadline: Duration)?

  /// The legs that are not gone.
  var legs: [Leg] { [controlLeg, downLeg, upLeg].compactMap { $0 } }

  /// What the end of a socket means: what was known before tells more than `why`.
  func reason(for why: LinkFailure) -> LinkFailure {
    if let mistrust { return mistrust }
    if control?.closing != nil { return .closed }
    if let closeFrame { return .refused(code: closeFrame.code, reason: closeFrame.reason) }
    return doom?.failure ?? why
  }

  /// Ends the session: every socket is closed soon, without ceremony. The first reason counts.
  func end(_ why: LinkFailure) {
    if failure == nil { failure = why }
    for leg in legs { if let socket = leg.socket { kill(socket) } }
  }

  /// Forgets the leg with this number. False when there is none.
  func removeLeg(_ id: UInt64) -> Bool {
    if controlLeg?.id == id {
      controlLeg = nil
      control = nil
    } else if downLeg?.id == id {
      downLeg = nil
      down = nil
    } else if upLeg?.id == id {
      upLeg = nil
      up = nil
    } else {
      return false
    }
    return true
  }
}
