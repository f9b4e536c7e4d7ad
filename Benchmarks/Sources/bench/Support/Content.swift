import Glibc

/// Files whose every MiB says which it is, so that a reader can see at no cost that it got the
/// right one.
enum Content {
  static let block = 1 << 20

  /// Writes a file of `size` bytes, marked with `seed`.
  static func write(_ path: String, size: Int, seed: UInt64) throws {
    let file = try checked("create \(path)") {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    var bytes = [UInt8](repeating: 0, count: block)
    var generator = seed | 1
    for index in bytes.indices {
      generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes[index] = UInt8(truncatingIfNeeded: generator >> 56)
    }
    var done = 0
    while done < size {
      mark(&bytes, seed, done / block)
      let count = min(block, size - done)
      try send(bytes, count: count, to: file, path)
      done += count
    }
    // The group's answer comes with the close.
    guard close(file) == 0 else { throw Failure.call("close \(path)") }
  }

  /// Reads a file as `dd bs=1M` does. Returns: seconds from before the open to the end of the file.
  static func timeToRead(_ path: String, size: Int, seed: UInt64) throws -> Double {
    var bytes = [UInt8](repeating: 0, count: block)
    var expected = [UInt8](repeating: 0, count: 16)
    let start = Clock.now
    let file = try checked("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(file) }
    var done = 0
    while true {
      let count = try checked("read \(path)") { read(file, &bytes, block) }
      if count == 0 { break }
      if done % block == 0, count >= 16 {
        mark(&expected, seed, done / block)
        guard bytes[..<16] == expected[...] else {
          throw Failure("\(path): wrong bytes at \(done)")
        }
      }
      done += count
    }
    guard done == size else { throw Failure("\(path): \(done) bytes instead of \(size)") }
    return Clock.now - start
  }

  /// Writes all of the first `count` bytes.
  static func send(_ bytes: [UInt8], count: Int, to file: Int32, _ name: String) throws {
    var sent = 0
    while sent < count {
      // SAFETY: the pointer stays inside the closure and within the array.
      sent += try checked("write \(name)") {
        bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + sent, count - sent) }
      }
    }
  }

  private static func mark(_ bytes: inout [UInt8], _ seed: UInt64, _ block: Int) {
    for index in 0..<8 {
      bytes[index] = UInt8(truncatingIfNeeded: seed >> (8 * UInt64(index)))
      bytes[8 + index] = UInt8(truncatingIfNeeded: block >> (8 * index))
    }
  }
}
