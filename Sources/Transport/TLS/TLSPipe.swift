import COpenSSL
import CWebSockets

/// The client's side of TLS over a plain socket of libwebsockets: ciphertext goes in and comes out
/// as bytes. Service thread only.
///
/// libwebsockets 4.1.6 cannot do this itself: for a client's socket that is neither HTTP nor
/// WebSocket it begins the handshake before it connects, on descriptor -1, and then never connects.
package final class TLSPipe {
  /// The bytes cannot be understood, the peer is not trusted, or it has said goodbye.
  package struct Broken: Error {}

  /// Whether the handshake is complete.
  package private(set) var isComplete = false
  // SAFETY: made in init, freed in deinit, never replaced.
  private let connection: OpaquePointer
  private var plain = [UInt8](repeating: 0, count: 16384)

  /// A connection for which nothing was sent yet; `flush` begins it. The peer is asked for `name`
  /// as the application protocol.
  package init(_ tls: ClientTLS, protocol name: String) {
    let offer = [UInt8(name.utf8.count)] + Array(name.utf8)
    guard let made = copenssl_open_pipe(tls.context, offer, UInt32(offer.count)) else {
      preconditionFailure("out of memory")
    }
    connection = made
    _ = copenssl_shake(connection)
  }

  deinit {
    SSL_free(connection)
  }

  /// Takes ciphertext and calls `deliver` with what was in it. There may be something to `flush`
  /// then.
  package func receive(
    _ bytes: UnsafeRawBufferPointer, deliver: (UnsafeRawBufferPointer) throws(Broken) -> Void
  ) throws(Broken) {
    guard let start = bytes.baseAddress else { return }
    guard copenssl_feed(connection, start, Int32(bytes.count)) == 1 else { throw Broken() }
    if !isComplete {
      let progress = copenssl_shake(connection)
      guard progress >= 0 else { throw Broken() }
      isComplete = progress == 1
    }
    while isComplete {
      let count = copenssl_read(connection, &plain, Int32(plain.count))
      guard count >= 0 else { throw Broken() }
      if count == 0 { return }
      // SAFETY: `count` bytes were written; the pointer is used during the call only.
      let piece = plain.prefix(Int(count))
      var failure: Broken?
      piece.withUnsafeBytes { raw in
        do throws(Broken) { try deliver(raw) } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }

  /// Seals bytes, which `flush` sends then. False when the connection is broken.
  package func seal(_ bytes: [UInt8]) -> Bool {
    bytes.isEmpty || copenssl_write(connection, bytes, Int32(bytes.count)) == 1
  }

  /// Whether there is something to `flush`.
  var hasOutput: Bool { copenssl_pending(connection) > 0 }

  /// Takes out what was sealed, and what the handshake has to say, for whoever writes it himself.
  package func takeOutput() -> [UInt8] {
    let count = copenssl_pending(connection)
    guard count > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    return copenssl_take(connection, &bytes, Int32(count)) == count ? bytes : []
  }

  /// Writes what was sealed, and what the handshake has to say. Only where the socket takes a
  /// write. False when it died.
  func flush(to socket: OpaquePointer) -> Bool {
    var bytes = takeOutput()
    return bytes.isEmpty || lws_write(socket, &bytes, bytes.count, LWS_WRITE_HTTP) >= bytes.count
  }
}
