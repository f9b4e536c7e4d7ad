/// Cuts a bulk stream into frames: UInt32 little-endian length N, then N bytes.
///
/// Each byte is copied once, into an array that was made for its frame. A frame keeps its four
/// length bytes, so that it can be passed on untouched.
struct FrameAssembler {
  /// The stream cannot be understood, or not be believed, from there on.
  enum Fault: Error, Equatable, CustomStringConvertible {
    /// A length that no frame may have.
    case badLength(UInt32)
    /// A frame is not what the other end sent in this place.
    case badTag

    var description: String {
      switch self {
      case .badLength(let length): "a frame cannot have \(length) bytes"
      case .badTag:
        "a frame is not what the other end sent there: somebody on the way changes what passes"
      }
    }
  }

  private static let headLength = 4
  private let maxFrame: Int
  private var tags: TagSequence?
  private var head: UInt32 = 0
  private var headCount = 0
  private var frame: [UInt8] = []
  private var missing = 0

  /// `maxFrame` is the largest N. `tags`: of the marks behind the frames, where they have any.
  init(maxFrame: Int, tags: TagSequence? = nil) {
    self.maxFrame = maxFrame
    self.tags = tags
  }

  private var tagLength: Int { tags == nil ? 0 : FrameTag.length }

  /// Takes what arrived and calls `deliver` for each frame that is complete. `bytes` is read only
  /// during the call. Complexity: O(`bytes.count`).
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, deliver: (consuming [UInt8]) -> Void
  ) throws(Fault) {
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
        try checkTag(&complete)
        deliver(complete)
      }
    }
  }

  /// Takes the mark off a frame. Throws where it is another.
  private mutating func checkTag(_ frame: inout [UInt8]) throws(Fault) {
    guard tags != nil else { return }
    let mark = Array(frame.suffix(FrameTag.length))
    frame.removeLast(FrameTag.length)
    let own = tags!.next(frame)
    // As long whatever they are: whoever sits on the wire learns nothing of how near he came.
    let difference = zip(mark, own).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
    guard difference == 0, own.count == mark.count else { throw .badTag }
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

  private mutating func begin(_ length: UInt32) throws(Fault) {
    guard length >= 1, length <= maxFrame else { throw .badLength(length) }
    frame.reserveCapacity(Self.headLength + Int(length) + tagLength)
    for index in 0..<4 { frame.append(UInt8(truncatingIfNeeded: length >> (8 * UInt32(index)))) }
    missing = Int(length) + tagLength
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
