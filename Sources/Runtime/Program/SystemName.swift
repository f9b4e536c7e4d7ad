import Glibc
import Protocol

/// What runs here, for the approver's eyes: `Linux 6.1.0 x86_64`.
enum SystemName {
  static var current: String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown" }
    let words = [
      text(&name.sysname), text(&name.release), text(&name.machine),
    ].joined(separator: " ")
    var short = words
    while short.utf8.count > Limits.system { short.removeLast() }
    return short
  }

  private static func text<Field>(_ field: inout Field) -> String {
    // SAFETY: the fields of utsname are terminated strings of their full size.
    withUnsafeBytes(of: &field) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
