import CLinux
import Glibc

/// Random bytes of the kernel, good enough for keys. Any thread.
package enum SecureRandom {
  /// `count` random bytes. Complexity: O(`count`).
  package static func bytes(_ count: Int) -> [UInt8] {
    // SAFETY: every byte of the buffer is written by getrandom before its count is reported.
    [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      fill(UnsafeMutableRawBufferPointer(buffer))
      written = count
    }
  }

  /// One random number.
  package static func uint64() -> UInt64 {
    var value: UInt64 = 0
    // SAFETY: any bit pattern is a UInt64, and the pointer stays inside the closure.
    withUnsafeMutableBytes(of: &value) { fill($0) }
    return value
  }

  private static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    var rest = buffer[...]
    while !rest.isEmpty {
      let space = UnsafeMutableRawBufferPointer(rebasing: rest)
      let count = getrandom(space.baseAddress, space.count, 0)
      // Fails only where the kernel has no getrandom (before 3.17): nothing safe can follow.
      precondition(count > 0 || errno == EINTR, "getrandom failed with \(errno)")
      rest = rest.dropFirst(max(count, 0))
    }
  }
}
