import Glibc

/// One direction of one connection.
struct Wire {
  let from: Int32
  let to: Int32
  /// Which of the proxy's links it uses.
  let link: Int
  /// Bytes on their way with the time of their arrival; empty bytes are the end.
  private var pieces: [(due: Double, bytes: [UInt8])] = []
  private var first = 0
  /// Bytes of the first piece that were written already.
  private var written = 0
  /// Bytes on their way.
  private(set) var queued = 0
  /// Whether there is nothing more to read.
  private(set) var hasEnded = false
  /// Whether all was delivered, the end too.
  private(set) var isDone = false
  /// Whether it waits until `to` takes more.
  private(set) var isBlocked = false

  init(from: Int32, to: Int32, link: Int) {
    self.from = from
    self.to = to
    self.link = link
  }

  /// When the next bytes arrive; nil when none are on their way, or `to` takes none.
  var due: Double? { first < pieces.count && !isBlocked ? pieces[first].due : nil }

  /// Reads what there is and puts it on its way. Returns: false when the connection failed.
  mutating func take(_ buffer: inout [UInt8], _ link: inout Link, now: Double) -> Bool {
    let count = read(from, &buffer, buffer.count)
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    hasEnded = count == 0
    queued += count
    pieces.append((link.send(count, now: now), Array(buffer[..<count])))
    return true
  }

  /// Writes what has arrived. Returns: false when the connection failed.
  mutating func deliver(now: Double) -> Bool {
    isBlocked = false
    while first < pieces.count, pieces[first].due <= now {
      let bytes = pieces[first].bytes
      if bytes.isEmpty {
        shutdown(to, Int32(SHUT_WR))
        isDone = true
        return true
      }
      // SAFETY: the pointer stays inside the closure and within the array.
      let count = bytes.withUnsafeBytes {
        write(to, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0 {
        isBlocked = errno == EAGAIN
        return isBlocked || errno == EINTR
      }
      queued -= count
      written += count
      guard written == bytes.count else { continue }
      pieces[first].bytes = []
      written = 0
      first += 1
      if first >= 256 {
        pieces.removeFirst(first)
        first = 0
      }
    }
    return true
  }
}
