import Glibc

/// The machine's memory.
enum Memory {
  /// Writes to free memory once and gives it back. A virtual machine's memory may only come into
  /// being when it is first touched, several times slower than it is used later: without this, the
  /// hypervisor is measured. Stops when an eighth of the memory is left. Returns: bytes, seconds.
  static func touch(limit: Int) throws -> (bytes: Int, seconds: Double) {
    let step = 64 << 20
    let start = Clock.now
    var pieces: [UnsafeMutableRawPointer] = []
    defer { for piece in pieces { munmap(piece, step) } }
    while (pieces.count + 1) * step <= limit, try available() > total() / 8 + step {
      try Interruption.check()
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE
      guard let piece = mmap(nil, step, PROT_READ | PROT_WRITE, flags, -1, 0), piece != MAP_FAILED
      else { throw Failure.call("touch the memory") }
      pieces.append(piece)
    }
    return (pieces.count * step, Clock.now - start)
  }

  /// Bytes that may be used.
  static func available() throws -> Int { try value("MemAvailable") }

  /// Bytes in the machine.
  static func total() throws -> Int { try value("MemTotal") }

  private static func value(_ name: String) throws -> Int {
    guard
      let kilobytes = Files.text(of: "/proc/meminfo").split(separator: "\n")
        .first(where: { $0.hasPrefix("\(name):") })?
        .split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw Failure("/proc/meminfo has no \(name)") }
    return kilobytes << 10
  }
}
