import CWebSockets

/// Memory that `lws_write` may change: it writes a head before a message, and masks it in place.
final class WriteBuffer {
  // SAFETY: allocated in init, freed in deinit; `capacity` bytes follow the headroom.
  private let memory: UnsafeMutableRawBufferPointer
  private let capacity: Int

  /// Room for `capacity` bytes.
  init(capacity: Int) {
    self.capacity = capacity
    memory = .allocate(byteCount: Int(cws_pre) + capacity, alignment: 16)
  }

  deinit {
    memory.deallocate()
  }

  /// Copies `pieces` one after the other and writes them in one call. False when the socket died.
  func write(
    _ pieces: some Collection<[UInt8]>, to socket: OpaquePointer, as kind: lws_write_protocol
  ) -> Bool {
    let body = UnsafeMutableRawBufferPointer(rebasing: memory[Int(cws_pre)...])
    var count = 0
    for piece in pieces {
      precondition(count + piece.count <= capacity, "what is written fits the buffer")
      UnsafeMutableRawBufferPointer(rebasing: body[count...]).copyBytes(from: piece)
      count += piece.count
    }
    // SAFETY: `body` has its headroom before it, and `count` bytes were written.
    guard let start = body.baseAddress else { return false }
    return lws_write(socket, start.assumingMemoryBound(to: UInt8.self), count, kind) >= count
  }
}
