import Glibc
import Sealing
import System

/// The files of a disk cache. Blocks; any thread, but one writes at a time.
struct CacheFolder: Sendable {
  private let folder: OwnedDescriptor

  /// Opens a folder that is there, and is locked.
  init(path: String) throws(SystemError) {
    folder = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        Glibc.open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
  }

  /// The segments that lie here. Files of other names are left alone.
  func segments() throws(SystemError) -> [CacheSegment] {
    try FolderItems.of(folder).compactMap { CacheSegment(name: $0.name) }
  }

  /// The size of each segment, the least recently used first; those that are gone are left out.
  func survey(_ segments: [CacheSegment]) -> [(segment: CacheSegment, bytes: Int)] {
    segments.compactMap { segment -> (segment: CacheSegment, stat: Stat)? in
      (try? Stat(at: folder.raw, name: Array(segment.name.utf8))).map { (segment, $0) }
    }
    .sorted { $0.stat.mtime < $1.stat.mtime }
    .map { ($0.segment, Int($0.stat.blocks) * 512) }
  }

  /// Opens a segment; ENOENT where there is none.
  func open(_ segment: CacheSegment) throws(SystemError) -> OwnedDescriptor {
    try open(segment, O_RDONLY)
  }

  /// Opens a segment, new and empty where there was none.
  func openForWriting(_ segment: CacheSegment) throws(SystemError) -> OwnedDescriptor {
    try open(segment, O_RDWR | O_CREAT)
  }

  private func open(_ segment: CacheSegment, _ flags: Int32) throws(SystemError) -> OwnedDescriptor
  {
    OwnedDescriptor(
      try retryingOnInterrupt("open \(segment.name) in the cache") {
        openat(folder.raw, segment.name, flags | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      })
  }

  /// The lengths of the leaves in a segment; 0: not there.
  func lengths(_ file: OwnedDescriptor) throws(SystemError) -> [Int] {
    let head = try read(file, at: 0, count: CacheSegment.lengthsLength)
    return (0..<CacheSegment.leaves).map { slot in
      guard 4 * slot + 4 <= head.count else { return 0 }
      return (0..<4).reduce(0) { $0 | Int(head[4 * slot + $1]) << (8 * $1) }
    }
  }

  /// What lies in a slot, sealed; less than asked for where the file ends before.
  func sealed(_ file: OwnedDescriptor, slot: Int, leaf: Int) throws(SystemError) -> [UInt8] {
    try read(file, at: CacheSegment.offset(of: slot), count: leaf + CacheSeal.overhead)
  }

  /// Puts a sealed leaf into its slot. What is there says so only afterwards; after a crash it may
  /// say so without being there, and does not open.
  func write(_ file: OwnedDescriptor, slot: Int, sealed: [UInt8]) throws(SystemError) {
    try write(file, sealed, at: CacheSegment.offset(of: slot))
    let leaf = UInt32(sealed.count - CacheSeal.overhead)
    let length = (0..<4).map { UInt8(truncatingIfNeeded: leaf >> (8 * $0)) }
    try write(file, length, at: 4 * slot)
  }

  /// Has the next start know that a segment was used now.
  func mark(_ file: OwnedDescriptor) { _ = futimens(file.raw, nil) }

  /// Removes a segment. One that is gone, or cannot be removed, is no error: nobody asks for it any
  /// more.
  func remove(_ segment: CacheSegment) { _ = unlinkat(folder.raw, segment.name, 0) }

  private func read(_ file: OwnedDescriptor, at offset: Int, count: Int) throws(SystemError)
    -> [UInt8]
  {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      do throws(SystemError) {
        while filled < count {
          let start = filled
          // SAFETY: at most what is left of the buffer is written, behind what was.
          let got = try retryingOnInterrupt("read in the cache") {
            pread(file.raw, buffer.baseAddress! + start, count - start, off_t(offset + start))
          }
          if got == 0 { break }
          filled += got
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  private func write(
    _ file: OwnedDescriptor, _ bytes: [UInt8], at offset: Int
  ) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let start = written
      // SAFETY: the pointer stays inside the closure and within the array.
      written += try retryingOnInterrupt("write in the cache") {
        bytes.withUnsafeBytes {
          pwrite(file.raw, $0.baseAddress! + start, $0.count - start, off_t(offset + start))
        }
      }
    }
  }
}
