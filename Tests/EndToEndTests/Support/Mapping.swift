import Glibc
import System

/// A mapping of an open file. Used by one thread; `end` comes last.
final class Mapping {
  // SAFETY: a mapping of `length` bytes until `end`; every access is checked against that.
  private let start: UnsafeMutableRawPointer
  private let length: Int

  /// `flags`: `MAP_SHARED` or `MAP_PRIVATE`.
  init(_ file: Int32, _ length: Int, _ flags: Int32) throws(SystemError) {
    let mapped = mmap(nil, length, PROT_READ | PROT_WRITE, flags, file, 0)
    guard let mapped, mapped != MAP_FAILED else { throw SystemError("mmap") }
    start = mapped
    self.length = length
  }

  func put(_ bytes: [UInt8], at offset: Int) {
    precondition(offset + bytes.count <= length, "within the mapping")
    UnsafeMutableRawBufferPointer(start: start + offset, count: bytes.count).copyBytes(from: bytes)
  }

  func put(_ text: String, at offset: Int) { put(Array(text.utf8), at: offset) }

  func bytes(at offset: Int, count: Int) -> [UInt8] {
    precondition(offset + count <= length, "within the mapping")
    return [UInt8](UnsafeRawBufferPointer(start: start + offset, count: count))
  }

  func synchronise() -> Int32 { msync(start, length, Int32(MS_SYNC)) }

  func end() { munmap(start, length) }
}
