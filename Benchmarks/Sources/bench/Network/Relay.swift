import Glibc

/// The floor: a file through a TCP relay that only reads and writes, 256 KiB at a time, with no
/// mount at either end.
enum Relay {
  static let name = "plain TCP relay"
  private static let piece = 256 << 10

  /// Sends a file through the relay. Returns: the seconds until all of it is there.
  static func timeToSend(_ path: String, size: Int) throws -> Double {
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
      try copy(from: from, to: to)
    }
    let owner = try Worker {
      let to = try Loopback.connected(to: entrancePort)
      defer { close(to) }
      try copy(file: path, to: to)
    }
    let reader = try Loopback.accepted(exit)
    defer { close(reader) }
    let done = try count(from: reader)
    let seconds = Clock.now - start
    try owner.join()
    try relay.join()
    guard done == size else { throw Failure("relay: \(done) bytes instead of \(size)") }
    return seconds
  }

  /// Sends a file through a proxy to somebody who asked for it, with a byte, over the same
  /// connection. Returns: the seconds from asking until all of it is there.
  static func timeToSend(_ path: String, size: Int, by proxy: Proxy) throws -> Double {
    let (listener, port) = try Loopback.listener()
    defer { close(listener) }
    let owner = try Worker {
      let to = try Loopback.accepted(listener)
      defer { close(to) }
      var asked: UInt8 = 0
      try checked("read") { read(to, &asked, 1) }
      try copy(file: path, to: to)
    }
    let reader = try Loopback.connected(to: try proxy.entrance(to: port))
    defer { close(reader) }
    let start = Clock.now
    try Content.send([1], count: 1, to: reader, "the proxy")
    let done = try count(from: reader)
    let seconds = Clock.now - start
    try owner.join()
    guard done == size else { throw Failure("plain stream: \(done) bytes instead of \(size)") }
    return seconds
  }

  private static func copy(file path: String, to target: Int32) throws {
    let file = try checked("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(file) }
    try copy(from: file, to: target)
  }

  private static func copy(from source: Int32, to target: Int32) throws {
    var bytes = [UInt8](repeating: 0, count: piece)
    while true {
      let count = try checked("read") { read(source, &bytes, piece) }
      if count == 0 { return }
      try Content.send(bytes, count: count, to: target, "the relay")
    }
  }

  /// Bytes until the end of a stream.
  private static func count(from source: Int32) throws -> Int {
    var bytes = [UInt8](repeating: 0, count: piece)
    var done = 0
    while true {
      let count = try checked("read") { read(source, &bytes, piece) }
      if count == 0 { return done }
      done += count
    }
  }
}
