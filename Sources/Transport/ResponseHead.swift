/// Reads the head of the one HTTP response on a bulk stream of a link.
struct ResponseHead {
  /// What has been understood so far.
  enum Progress: Equatable {
    /// More is to come.
    case part
    /// Status 200; `rest` bytes of the last piece belong to the body.
    case accepted(rest: Int)
    /// Any other status.
    case refused(code: UInt16, line: String)
    /// No HTTP.
    case nonsense
  }

  /// A head that is longer is no hub's.
  private static let limit = 4096
  private static let end = Array("\r\n\r\n".utf8)
  private var text: [UInt8] = []

  /// Takes what arrived, byte by byte up to the head's end.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Progress {
    for (index, byte) in bytes.enumerated() {
      text.append(byte)
      if text.suffix(4).elementsEqual(Self.end) {
        return finish(rest: bytes.count - index - 1)
      }
      if text.count >= Self.limit { return .nonsense }
    }
    return .part
  }

  private func finish(rest: Int) -> Progress {
    let line = String(decoding: text.prefix { $0 != 13 }, as: UTF8.self)
    let parts = line.split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, parts[0] == "HTTP/1.1", let code = UInt16(parts[1]) else {
      return .nonsense
    }
    return code == 200 ? .accepted(rest: rest) : .refused(code: code, line: line)
  }
}
