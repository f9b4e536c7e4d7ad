import Glibc

/// The machine's memory.
enum Memory {
  /// What a mount's processes take beside the files.
  private static let room = 512 << 20

  /// Writes to as much free memory as files of `size` bytes and their readers are about to take,
  /// and gives it back. A virtual machine's memory may only come into being when it is touched,
  /// several times slower than it is used later, and goes again when it is free for seconds:
  /// without this, just before the clock starts, the hypervisor is measured. Leaves an eighth of
  /// the memory alone.
  static func touch(for size: Int) throws {
    let step = 64 << 20
    var pieces: [UnsafeMutableRawPointer] = []
    defer { for piece in pieces { munmap(piece, step) } }
    while pieces.count * step < size + room, try available() > total() / 8 + step {
      try Interruption.check()
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE
      guard let piece = mmap(nil, step, PROT_READ | PROT_WRITE, flags, -1, 0), piece != MAP_FAILED
      else { throw Failure.call("touch the memory") }
      pieces.append(piece)
    }
  }

  /// Bytes that may be used.
  private static func available() throws -> Int { try value("MemAvailable") }

  /// Bytes in the machine.
  private static func total() throws -> Int { try value("MemTotal") }

  private static func value(_ name: String) throws -> Int {
    guard
      let kilobytes = Files.text(of: "/proc/meminfo").split(separator: "\n")
        .first(where: { $0.hasPrefix("\(name):") })?
        .split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw Failure("/proc/meminfo has no \(name)") }
    return kilobytes << 10
  }
}
