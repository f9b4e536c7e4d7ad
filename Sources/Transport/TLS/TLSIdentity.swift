import COpenSSL
import Glibc
package import Protocol
package import System

/// The TLS key of a hub and its certificate, as they lie in a folder. Nobody certifies them:
/// members know the hub by the key's fingerprint.
package struct TLSIdentity: Sendable {
  /// What a member's pin is compared with: SHA-256 of the DER of the SubjectPublicKeyInfo (RFC
  /// 5280, 4.1), as in RFC 7469.
  package let fingerprint: Fingerprint
  private let key: [UInt8]
  private let certificate: [UInt8]

  /// The key's file.
  package static let keyName = "tls-key.pem"
  /// The certificate's file.
  package static let certificateName = "tls-cert.pem"
  /// Longer files than this hold something else.
  private static let fileLimit = 65536
  /// A hundred years: members look at the key, not at dates.
  private static let days: Int32 = 36525

  /// Loads both from `folder`, or makes what is missing: the key 0600 from its first byte on. A
  /// certificate is only the key's envelope, so one without its key is replaced. Throws EACCES when
  /// others can read the key, EINVAL when the files are no such pair. Blocks.
  package init(folder: String) throws(SystemError) {
    let keyPath = "\(folder)/\(Self.keyName)"
    let certificatePath = "\(folder)/\(Self.certificateName)"
    if let found = try Self.readKey(keyPath) {
      key = found
      if let envelope = try Self.read(certificatePath) {
        certificate = envelope
      } else {
        certificate = try Self.makeCertificate(certificatePath, key: found)
      }
    } else {
      key = try Self.makeKey(keyPath)
      certificate = try Self.makeCertificate(certificatePath, key: key)
    }
    var hash = [UInt8](repeating: 0, count: Fingerprint.length)
    let isPair = copenssl_check_pair(
      key, Int32(key.count), certificate, Int32(certificate.count), &hash)
    guard isPair == 1, let fingerprint = Fingerprint(hash) else {
      throw SystemError(
        code: EINVAL, call: "use \(keyPath) with \(certificatePath), which are no key and its own")
    }
    self.fingerprint = fingerprint
  }

  /// Loads both from one file: the key, the certificate, and those that vouch for it, in PEM. Throws
  /// EACCES when others can read it, EINVAL when they do not belong together. Blocks.
  package init(file: String) throws(SystemError) {
    guard let content = try Self.readKey(file) else {
      throw SystemError(code: ENOENT, call: "read \(file)")
    }
    (key, certificate) = (content, content)
    var hash = [UInt8](repeating: 0, count: Fingerprint.length)
    let count = Int32(content.count)
    guard copenssl_check_pair(content, count, content, count, &hash) == 1,
      let fingerprint = Fingerprint(hash)
    else {
      throw SystemError(code: EINVAL, call: "use \(file), which holds no key with its certificate")
    }
    self.fingerprint = fingerprint
  }

  /// The certificate's own bytes (DER), of which browsers show the SHA-256.
  package var certificateBytes: [UInt8] {
    var der = [UInt8](repeating: 0, count: Self.fileLimit)
    let count = copenssl_certificate_bytes(
      certificate, Int32(certificate.count), &der, Int32(der.count))
    return Array(der.prefix(Int(max(0, count))))
  }

  /// Has a context of OpenSSL, a server's, use key and certificate. False when it cannot.
  func configure(_ context: UnsafeMutableRawPointer) -> Bool {
    copenssl_configure_server(
      context, key, Int32(key.count), certificate, Int32(certificate.count)) == 1
  }

  private static func readKey(_ path: String) throws(SystemError) -> [UInt8]? {
    let mode: UInt32
    do throws(SystemError) { mode = try Stat(path: path).mode } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    guard mode & 0o077 == 0 else {
      throw SystemError(
        code: EACCES, call: "use \(path), which others may read or change: chmod 600 \(path)")
    }
    let content = try File.readRegular(path, limit: fileLimit)
    guard copenssl_is_key(content, Int32(content.count)) == 1 else {
      throw SystemError(code: EINVAL, call: "read a private key without password from \(path)")
    }
    return content
  }

  private static func read(_ path: String) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) { return try File.readRegular(path, limit: fileLimit) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  private static func makeKey(_ path: String) throws(SystemError) -> [UInt8] {
    var pem = [UInt8](repeating: 0, count: 4096)
    let count = copenssl_make_key(&pem, Int32(pem.count))
    guard count > 0 else { throw SystemError(code: EIO, call: "make a key for \(path)") }
    let key = Array(pem.prefix(Int(count)))
    try File.writeAtomically(path, key, mode: 0o600)
    return key
  }

  private static func makeCertificate(
    _ path: String, key: [UInt8]
  ) throws(SystemError) -> [UInt8] {
    var pem = [UInt8](repeating: 0, count: 4096)
    let count = copenssl_make_certificate(
      key, Int32(key.count), "fsharefs hub", days, &pem, Int32(pem.count))
    guard count > 0 else { throw SystemError(code: EIO, call: "make a certificate for \(path)") }
    let certificate = Array(pem.prefix(Int(count)))
    try File.writeAtomically(path, certificate, mode: 0o644)
    return certificate
  }
}
