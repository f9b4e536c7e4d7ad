import Glibc

/// How a program that is just closing its files comes to its end.
package enum DyingProcess {
  /// The kernel's `PF_EXITING`.
  private static let exiting: UInt64 = 0x4

  /// Whether a thread, by the id that the kernel gives with its request, is ending because a signal killed its process.
  /// False for one that goes on, that called exit(3), or that nobody can tell of. To be asked while the request is not
  /// answered: then it is still there. Reads memory of the kernel only: does not block.
  package static func isKilled(_ thread: Int32) -> Bool {
    guard let bytes = try? File.readAll("/proc/\(thread)/stat", limit: 4_096),
      let end = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return false }
    // Fields from the third on, as of proc(5): flags are the ninth, the exit code is the 52nd.
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 49, let flags = number(fields[6]), let code = number(fields[49]) else {
      return false
    }
    return flags & exiting != 0 && code & 0x7f != 0
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    UInt64(String(decoding: digits.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
