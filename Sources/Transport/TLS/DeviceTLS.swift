import COpenSSL

/// TLS between members: both ends show the key of their device, which is all that counts of a
/// certificate. One thread only.
package final class DeviceTLS {
  /// Bytes of a key, private or public.
  package static let keyLength = 32

  // SAFETY: made in init, freed in deinit, behind every handshake that uses it: those keep it.
  fileprivate private(set) var context: OpaquePointer!
  /// Judges the raw Ed25519 key of the other end; false ends the handshake. Whether it has the
  /// private half is not proven yet by then.
  package var accepts: ([UInt8]) -> Bool = { _ in false }

  /// TLS with this private key (the seed of RFC 8032, 32 bytes) that accepts nobody.
  package init(privateKey: [UInt8]) {
    precondition(privateKey.count == Self.keyLength, "an Ed25519 key has 32 bytes")
    // SAFETY: unretained; OpenSSL calls back only in handshakes, which keep `self`.
    context = copenssl_make_device(
      privateKey, deviceCallback, Unmanaged.passUnretained(self).toOpaque())
    precondition(context != nil, "OpenSSL has TLS 1.3 and Ed25519, and there is memory")
  }

  deinit {
    SSL_CTX_free(context)
  }

  fileprivate func verify(_ store: OpaquePointer) -> Int32 {
    var key = [UInt8](repeating: 0, count: Self.keyLength)
    guard copenssl_device_seen(store, &key) == 1 else { return copenssl_verdict(store, 0) }
    return copenssl_verdict(store, accepts(key) ? 1 : 0)
  }
}

private func deviceCallback(_ store: OpaquePointer?, _ owner: UnsafeMutableRawPointer?) -> Int32 {
  guard let store, let owner else { return 0 }
  // SAFETY: the owner is the DeviceTLS that made the context, and outlives it.
  return Unmanaged<DeviceTLS>.fromOpaque(owner).takeUnretainedValue().verify(store)
}

/// The handshake of a line, by which its ends know each other and draw a secret. What follows on
/// the connection is not TLS's: a leaf that is sealed as a whole costs half of what eight records
/// do. Service thread only.
package final class DeviceHandshake {
  /// The other end breaks TLS, or is not whom this one speaks to.
  package struct Broken: Error {}

  package private(set) var isComplete = false
  private let tls: DeviceTLS
  // SAFETY: made in init, freed in deinit, never replaced.
  private let connection: OpaquePointer

  /// `accepts`: whether this end was dialled. There is something to send at once if it was not.
  package init(_ tls: DeviceTLS, accepts: Bool) {
    self.tls = tls
    guard let made = copenssl_open_device(tls.context, accepts ? 1 : 0) else {
      preconditionFailure("out of memory")
    }
    connection = made
    if !accepts { _ = copenssl_shake(connection) }
  }

  deinit {
    SSL_free(connection)
  }

  /// Takes what came. There may be something to send then.
  package func receive(_ bytes: UnsafeRawBufferPointer) throws(Broken) {
    guard let start = bytes.baseAddress, !isComplete else { return }
    guard copenssl_feed(connection, start, Int32(bytes.count)) == 1 else { throw Broken() }
    let progress = copenssl_shake(connection)
    guard progress >= 0 else { throw Broken() }
    isComplete = progress == 1
  }

  /// Takes out what is to be sent; also behind a failure, of which it tells the other end.
  package func takeOutput() -> [UInt8] {
    let count = copenssl_pending(connection)
    guard count > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    return copenssl_take(connection, &bytes, Int32(count)) == count ? bytes : []
  }

  /// What came behind the handshake.
  package func takeRest() -> [UInt8] {
    let count = copenssl_rest(connection)
    guard count > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    return copenssl_take_rest(connection, &bytes, Int32(count)) == count ? bytes : []
  }

  /// The other end's key; nil before the handshake is complete.
  package var peer: [UInt8]? {
    var key = [UInt8](repeating: 0, count: DeviceTLS.keyLength)
    return isComplete && copenssl_device_peer(connection, &key) == 1 ? key : nil
  }

  /// `count` bytes that only both ends have, for one purpose. nil before it is complete.
  package func secret(_ label: String, count: Int) -> [UInt8]? {
    var secret = [UInt8](repeating: 0, count: count)
    guard isComplete, copenssl_export(connection, label, &secret, Int32(count)) == 1 else {
      return nil
    }
    return secret
  }
}
