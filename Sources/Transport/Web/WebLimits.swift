/// The bounds of a web server; each one a named number with its reason.
package struct WebLimits: Sendable {
  /// Connections at once; those that come beyond are closed.
  package var connections = 256
  /// Of them from one address (IPv4, or /64 of IPv6), so that no stranger has them all.
  package var connectionsOfPeer = 64
  /// Time for the head of a request, and between two requests.
  package var headTime = Duration.seconds(15)
  /// Time without a byte of a body, or of an answer that is taken. A player that is paused reads
  /// nothing for long, and asks again when it goes on.
  package var idleTime = Duration.seconds(300)
  /// Bytes of a body that wait for who takes it.
  package var waitingBytes = 4 << 20
  /// Bytes of a body that are thrown away after it was refused, so that who sends it hears why:
  /// browsers look for an answer only when they have sent all.
  package var drainedBytes: UInt64 = 4 << 30
  /// A WebSocket that was silent for so long is dead; it is asked in a third of that.
  package var socketTime = Duration.seconds(45)
  /// Messages that wait for one WebSocket, bytes.
  package var socketQueueBytes = 32 << 20
  /// Bytes of the longest message of one.
  package var messageBytes = 4096

  /// The limits of the product.
  package init() {}
}
