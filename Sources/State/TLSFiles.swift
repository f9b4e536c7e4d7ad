import COpenSSL
import Glibc
package import System

/// The hub's TLS key and its certificate, as files of the state folder.
package enum TLSFiles {
  static let keyName = "tls-key.pem"
  static let certificateName = "tls-cert.pem"
  /// Longer files than this hold something else.
  private static let limit = 65_536

  /// Why they cannot be used, with what to type.
  package static func fault(_ error: SystemError, in folder: String) -> StateFault {
    guard error.code == EINVAL || error.code == EFBIG else { return StateFault(error) }
    return StateFault(
      .damaged,
      "\(error): put copies of both back; if only the certificate is damaged: rm \(folder)/\(certificateName)"
    )
  }

  /// Whether a hub can use what lies in `folder`. nil where there is no key. A certificate that is
  /// missing is made.
  static func check(_ folder: String) throws(StateFault) -> Bool? {
    let (keyPath, certificatePath) = ("\(folder)/\(keyName)", "\(folder)/\(certificateName)")
    guard access(keyPath.cPath, F_OK) == 0 else { return nil }
    try Privacy.check(file: keyPath)
    do throws(SystemError) {
      let key = try File.readRegular(keyPath, limit: limit)
      guard copenssl_is_key(key, Int32(key.count)) == 1 else {
        throw SystemError(code: EINVAL, call: "read a private key without password from \(keyPath)")
      }
      guard access(certificatePath.cPath, F_OK) == 0 else { return true }
      let certificate = try File.readRegular(certificatePath, limit: limit)
      var hash = [UInt8](repeating: 0, count: 32)
      guard
        copenssl_check_pair(
          key, Int32(key.count), certificate, Int32(certificate.count), &hash) == 1
      else {
        throw SystemError(
          code: EINVAL,
          call: "use \(keyPath) with \(certificatePath), which are no key and its own")
      }
      return true
    } catch { throw fault(error, in: folder) }
  }
}
