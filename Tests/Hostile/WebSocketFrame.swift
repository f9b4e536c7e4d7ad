import System

/// One frame of a WebSocket (RFC 6455), as bytes: for clients of a test's own make.
package struct WebSocketFrame {
  /// 1 text, 2 binary, 8 close, 9 ping, 10 pong.
  package let kind: UInt8
  package let payload: [UInt8]

  package init(kind: UInt8, payload: [UInt8]) {
    self.kind = kind
    self.payload = payload
  }

  /// As a client sends it, whole. `claiming`: the length that the head gives, if another.
  package func masked(claiming: Int? = nil) -> [UInt8] {
    let length = claiming ?? payload.count
    var frame: [UInt8] = [0x80 | kind]
    if length < 126 {
      frame.append(0x80 | UInt8(length))
    } else if length < 65_536 {
      frame += [0x80 | 126, UInt8(length >> 8), UInt8(length & 0xff)]
    } else {
      frame.append(0x80 | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        frame.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
    let mask = SecureRandom.bytes(4)
    frame += mask
    frame += payload.enumerated().map { $1 ^ mask[$0 % 4] }
    return frame
  }

  /// The first frame of what a hub sent, taken out; nil until it is there as a whole.
  package static func taken(from bytes: inout [UInt8]) -> WebSocketFrame? {
    guard bytes.count >= 2 else { return nil }
    var length = Int(bytes[1] & 0x7f)
    let extra = length == 126 ? 2 : length == 127 ? 8 : 0
    guard bytes.count >= 2 + extra else { return nil }
    if extra > 0 { length = bytes[2..<(2 + extra)].reduce(0) { $0 << 8 | Int($1) } }
    let end = 2 + extra + length
    guard bytes.count >= end else { return nil }
    let frame = WebSocketFrame(kind: bytes[0] & 0x0f, payload: Array(bytes[(2 + extra)..<end]))
    bytes.removeFirst(end)
    return frame
  }
}
