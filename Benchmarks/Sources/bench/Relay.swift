import Glibc

/// The floor: the same file through a TCP relay that only reads and writes, 256 KiB at a time, with
/// no mount at either end.
final class Relay: Contender {
  let name = "plain TCP relay"
  private let scratch: Scratch
  private static let piece = 256 << 10

  init(_ scratch: Scratch) { self.scratch = scratch }

  func measure(size: Int, seed: UInt64) throws -> Double {
    let path = scratch.path("relayed")
    try Content.write(path, size: size, seed: seed)
    defer { unlink(path) }
    let (entrance, entrancePort) = try Loopback.listener()
    let (exit, exitPort) = try Loopback.listener()
    defer {
      close(entrance)
      close(exit)
    }
    let start = Clock.now
    let relay = try Worker {
      let from = try Loopback.accepted(entrance)
      defer { close(from) }
      let to = try Loopback.connected(to: exitPort)
      defer { close(to) }
      try Relay.copy(from: from, to: to)
    }
    let owner = try Worker {
      let file = try checked("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
      defer { close(file) }
      let to = try Loopback.connected(to: entrancePort)
      defer { close(to) }
      try Relay.copy(from: file, to: to)
    }
    let reader = try Loopback.accepted(exit)
    defer { close(reader) }
    var bytes = [UInt8](repeating: 0, count: Relay.piece)
    var done = 0
    while true {
      let count = try checked("read") { read(reader, &bytes, bytes.count) }
      if count == 0 { break }
      done += count
    }
    let seconds = Clock.now - start
    try owner.join()
    try relay.join()
    guard done == size else { throw Failure("relay: \(done) bytes instead of \(size)") }
    return seconds
  }

  private static func copy(from source: Int32, to target: Int32) throws {
    var bytes = [UInt8](repeating: 0, count: piece)
    while true {
      let count = try checked("read") { read(source, &bytes, piece) }
      if count == 0 { return }
      try Content.send(bytes, count: count, to: target, "the relay")
    }
  }
}
