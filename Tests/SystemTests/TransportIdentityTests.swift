import Glibc
import System
import Testing
import Transport

@Suite("The TLS key of a hub")
struct TransportIdentityTests {
  @Test("is made once, for its owner only")
  func files() throws {
    let folder = try ScratchFolder()
    let before = umask(0)
    defer { umask(before) }
    let first = try TLSIdentity(folder: folder.path)
    #expect(try Stat(path: "\(folder.path)/tls-key.pem").mode & 0o7777 == 0o600)
    #expect(try Stat(path: "\(folder.path)/tls-cert.pem").mode & 0o7777 == 0o644)
    #expect(try TLSIdentity(folder: folder.path).fingerprint == first.fingerprint)
    let second = try freshIdentity()
    #expect(second.fingerprint != first.fingerprint)
  }

  @Test("keeps its fingerprint when only the certificate is lost")
  func lostCertificate() throws {
    let folder = try ScratchFolder()
    let first = try TLSIdentity(folder: folder.path)
    #expect(unlink("\(folder.path)/tls-cert.pem") == 0)
    #expect(try TLSIdentity(folder: folder.path).fingerprint == first.fingerprint)
  }

  @Test(
    "is refused when others can read it, and the error says what to do",
    arguments: [0o640, 0o604, 0o660])
  func openToOthers(_ mode: Int) throws {
    let folder = try ScratchFolder()
    _ = try TLSIdentity(folder: folder.path)
    let key = "\(folder.path)/tls-key.pem"
    #expect(chmod(key, mode_t(mode)) == 0)
    let error = #expect(throws: SystemError.self) { try TLSIdentity(folder: folder.path) }
    #expect(error?.code == EACCES)
    #expect(error?.description.contains("chmod 600 \(key)") == true)
  }

  @Test("is refused when it is none, or not the certificate's")
  func wrongFiles() throws {
    let folder = try ScratchFolder()
    let other = try ScratchFolder()
    _ = try TLSIdentity(folder: folder.path)
    _ = try TLSIdentity(folder: other.path)
    let certificate = try File.readAll("\(other.path)/tls-cert.pem", limit: 65536)
    try File.writeAtomically("\(folder.path)/tls-cert.pem", certificate, mode: 0o644)
    #expect(throws: SystemError.self) { try TLSIdentity(folder: folder.path) }
    try File.writeAtomically("\(other.path)/tls-key.pem", Array("no key".utf8), mode: 0o600)
    #expect(throws: SystemError.self) { try TLSIdentity(folder: other.path) }
    try File.writeAtomically("\(other.path)/tls-key.pem", [], mode: 0o600)
    #expect(throws: SystemError.self) { try TLSIdentity(folder: other.path) }
  }

  @Test("has the fingerprint and the name that openssl sees, for a hundred years")
  func openssl() throws {
    guard try !output(of: "openssl version 2>/dev/null").isEmpty else { return }
    let folder = try ScratchFolder()
    let identity = try TLSIdentity(folder: folder.path)
    let certificate = "openssl x509 -in \(folder.path)/tls-cert.pem"
    let seen = try output(
      of: "\(certificate) -noout -pubkey | openssl pkey -pubin -outform der"
        + " | openssl dgst -sha256 -binary | base64 -w0 | tr '+/' '-_' | tr -d '='")
    #expect(seen == "\(identity.fingerprint)")
    #expect(try output(of: "\(certificate) -noout -subject").contains("CN = fsharefs hub"))
    let text = try output(of: "\(certificate) -noout -text")
    #expect(text.contains("prime256v1") && text.contains("ecdsa-with-SHA256"))
    let lasting = try output(of: "\(certificate) -noout -checkend 3155000000")
    #expect(lasting.contains("will not expire"))
  }
}
