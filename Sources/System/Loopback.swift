import Glibc

/// The addresses by which a machine reaches itself and nobody else.
package enum Loopback {
  /// Whether a host is one of them: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 or `localhost`. Other
  /// names are not looked up: what they lead to may change.
  package static func contains(_ host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    var v4 = in_addr()
    if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, host, &v6) == 1 else { return false }
    // SAFETY: 16 plain bytes, copied.
    let bytes = withUnsafeBytes(of: &v6) { Array($0) }
    let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 127]
    return bytes == [UInt8](repeating: 0, count: 15) + [1] || bytes.starts(with: mapped)
  }
}
