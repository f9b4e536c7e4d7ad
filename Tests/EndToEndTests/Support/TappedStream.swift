/// What a tap has of one connection from the hub: it comes in pieces, a head of HTTP first.
struct TappedStream {
  /// Whether this is a connection that the tap cares about.
  private(set) var isWanted = false
  /// What has come behind the head, and was not taken yet.
  var pending: [UInt8] = []
  private var hasSpoken = false
  private var isBehindHead = false

  /// Bytes to the hub: the first of all say what the connection is for.
  mutating func noteUp(_ bytes: [UInt8], isWanted: (_ request: [UInt8]) -> Bool) {
    if hasSpoken { return }
    hasSpoken = true
    self.isWanted = isWanted(bytes)
  }

  /// Bytes from the hub go to `pending`. Returns: the head, once it is whole, for the member.
  mutating func noteDown(_ bytes: [UInt8]) -> [UInt8] {
    pending += bytes
    guard !isBehindHead, let end = pending.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
    else { return [] }
    isBehindHead = true
    defer { pending.removeFirst(end) }
    return Array(pending[..<end])
  }

  /// Whether `pending` is what the two ends say to each other.
  var isOpen: Bool { isBehindHead }
}
