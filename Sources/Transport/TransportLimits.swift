import Protocol

/// The bounds of the transport; each one a named number with its reason. Tests give smaller ones.
package struct TransportLimits: Sendable {
  /// The longest message of the control plane, bytes: enough for a page of the list, little enough
  /// that libwebsockets' byte-wise client parser (200 MB/s) stays below a millisecond.
  package var maxMessage = Limits.controlMessage
  /// The longest frame of the bulk plane, bytes after the length: a leaf and its envelope.
  package var maxFrame = Limits.bulkFrame
  /// Bytes that may wait for one peer on the control plane; beyond it the peer is too slow.
  package var controlQueueBytes = 32 << 20
  /// Bytes that may wait on one bulk stream: a guard, since the caller's credit is far lower.
  package var bulkQueueBytes = 256 << 20
  /// Connections that a server has at once; each may cost a header table of a few KiB.
  package var connections = 4096
  /// Connections that nobody has vouched for yet; beyond it whoever has most of them loses the
  /// oldest, so that a flood of strangers cannot keep a member out: one that comes back needs a few
  /// milliseconds.
  package var unregistered = 256
  /// TLS handshakes per second of one address (IPv4, or /64 of IPv6), and ten times as many at
  /// once.
  package var handshakesPerSecond = 200
  /// Messages per second on one control plane, and as many at once; whoever sends more is read
  /// again when a second's worth is allowed. A client that shares many files sends batches of them.
  package var messagesPerSecond = 50_000
  /// Time for the head of a request, with the TLS handshake before it; slower ones are dropped.
  package var headTime = Duration.seconds(10)
  /// Time that a client gives a connection attempt, per plane.
  package var connectTime = Duration.seconds(10)
  /// Time that it gives one of several addresses, before it tries the next.
  package var routeTime = Duration.seconds(3)
  /// After this long without traffic a ping or a keep-alive frame is sent.
  package var keepAliveAfter = Duration.seconds(5)
  /// A peer that was silent this long is dead.
  package var deadAfter = Duration.seconds(15)
  /// Time for a polite close (flush, close frame, its answer) before the socket is just closed.
  package var closeTime = Duration.seconds(3)
  /// Time in which a hub that closes a bulk stream may still say why on the control plane.
  package var closeGrace = Duration.milliseconds(500)

  /// The limits of the product.
  package init() {}

  /// How often the clocks above are looked at: often enough to be at most a quarter late.
  var tickEvery: Duration {
    let shortest = min(headTime, connectTime, keepAliveAfter, deadAfter, closeTime)
    return max(.milliseconds(5), min(.seconds(1), shortest / 4))
  }
}
