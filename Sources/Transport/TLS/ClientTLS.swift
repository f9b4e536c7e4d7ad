import COpenSSL
package import Protocol

/// TLS of a link: whatever certificate a hub shows, its key is what counts. One thread only.
///
/// libwebsockets' own verification is not used at all. It would look for its socket under a number
/// that each context of the process overwrites (`openssl_websocket_private_data_index`), and a hub
/// and a link often share a process.
package final class ClientTLS {
  // SAFETY: made in init, freed in deinit, after the end of the libwebsockets context that uses it:
  // the service loop of that context keeps this object.
  private(set) var context: OpaquePointer!
  /// Judges the key of a hub; false ends the handshake. Nothing of ours was sent by then, and
  /// whether the hub has the private key is not yet proven.
  package var accepts: (Fingerprint) -> Bool = { _ in false }

  /// TLS that accepts nobody.
  package init() {
    // SAFETY: unretained; OpenSSL calls back only while `self` lives, as above.
    context = copenssl_make_client(verifyCallback, Unmanaged.passUnretained(self).toOpaque())
    precondition(context != nil, "OpenSSL has TLS 1.3, and there is memory")
  }

  deinit {
    SSL_CTX_free(context)
  }

  fileprivate func verify(_ store: OpaquePointer) -> Int32 {
    var hash = [UInt8](repeating: 0, count: Fingerprint.length)
    guard copenssl_seen(store, &hash) == 1, let seen = Fingerprint(hash) else {
      return copenssl_verdict(store, 0)
    }
    return copenssl_verdict(store, accepts(seen) ? 1 : 0)
  }
}

private func verifyCallback(_ store: OpaquePointer?, _ owner: UnsafeMutableRawPointer?) -> Int32 {
  guard let store, let owner else { return 0 }
  // SAFETY: the owner is the ClientTLS that made the context, and outlives it.
  return Unmanaged<ClientTLS>.fromOpaque(owner).takeUnretainedValue().verify(store)
}
