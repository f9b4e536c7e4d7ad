/// Cuts a bulk stream into frames: UInt32 little-endian length N, then N bytes.
///
/// Each byte is copied once, into an array that was made for its frame. A frame keeps its four
/// length bytes, so that it can be passed on untouched.
struct FrameAssembler {
  /// A length that no frame may have: the stream cannot be understood from there on.
  struct BadLength: Error, Equatable {
    let length: UInt32
  }

  private static let headLength = 4
  private let maxFrame: Int
  private var head: UInt32 = 0
  private var headCount = 0
  private var frame: [UInt8] = []
  private var missing = 0

  /// `maxFrame` is the largest N.
  init(maxFrame: Int) {
    self.maxFrame = maxFrame
  }

  /// Takes what arrived and calls `deliver` for each frame that is complete. `bytes` is read only
  /// during the call. Complexity: O(`bytes.count`).
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, deliver: (consuming [UInt8]) -> Void
  ) throws(BadLength) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if missing == 0 {
        guard let length = takeHead(&rest) else { return }
        try begin(length)
      }
      let count = min(missing, rest.count)
      // SAFETY: the pointer is the caller's and used only here; `append` copies.
      frame.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
      rest = rest.dropFirst(count)
      missing -= count
      if missing == 0 {
        var complete: [UInt8] = []
        swap(&complete, &frame)
        deliver(complete)
      }
    }
  }

  private mutating func takeHead(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt32? {
    while headCount < Self.headLength {
      guard let byte = rest.popFirst() else { return nil }
      head |= UInt32(byte) << (8 * UInt32(headCount))
      headCount += 1
    }
    defer {
      head = 0
      headCount = 0
    }
    return head
  }

  private mutating func begin(_ length: UInt32) throws(BadLength) {
    guard length >= 1, length <= maxFrame else { throw BadLength(length: length) }
    frame.reserveCapacity(Self.headLength + Int(length))
    for index in 0..<4 { frame.append(UInt8(truncatingIfNeeded: length >> (8 * UInt32(index)))) }
    missing = Int(length)
  }
}

/// Facts of the bulk plane's framing.
enum FrameEnvelope {
  /// What each side sends when it has nothing else to say.
  static let keepAlive: [UInt8] = [1, 0, 0, 0, 0]

  /// Whether `frame` says nothing.
  static func isKeepAlive(_ frame: [UInt8]) -> Bool { frame.count == 5 && frame == keepAlive }

  /// Whether `frame` is well-formed: its length bytes are true and within `limit`.
  static func isValid(_ frame: [UInt8], limit: Int) -> Bool {
    guard frame.count >= 5, frame.count - 4 <= limit else { return false }
    let length = (0..<4).reduce(0) { $0 | Int(frame[$1]) << (8 * $1) }
    return length == frame.count - 4
  }
}
