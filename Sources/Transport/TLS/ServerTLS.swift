import COpenSSL

/// TLS of a hub.
final class ServerTLS {
  /// A client's context that nobody uses. Without one libwebsockets would make its own, read the
  /// system's certificates into it, and lose it when another context exists in the process.
  // SAFETY: made in init, freed in deinit, after the end of the context that was given it.
  let unusedClient: OpaquePointer
  private var identity: TLSIdentity
  /// The server's context, once libwebsockets has made it; it lives as long as the loop.
  private var server: UnsafeMutableRawPointer?

  /// TLS with this key.
  init(_ identity: TLSIdentity) {
    self.identity = identity
    guard let made = copenssl_make_client(nil, nil) else {
      preconditionFailure("OpenSSL has TLS 1.3, and there is memory")
    }
    unusedClient = made
  }

  deinit {
    SSL_CTX_free(unusedClient)
  }

  /// Sets up the server's context that libwebsockets has made. The answer is libwebsockets'.
  func configure(_ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return -1 }
    server = context
    return identity.configure(context) ? 0 : -1
  }

  /// Shows another certificate of the same key to whoever connects from now on. Returns: whether
  /// that is so.
  func use(_ renewed: TLSIdentity) -> Bool {
    guard renewed.fingerprint == identity.fingerprint else { return false }
    if let server, !renewed.configure(server) { return false }
    identity = renewed
    return true
  }
}
