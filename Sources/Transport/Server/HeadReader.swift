/// Collects the head of an HTTP/1.1 message: everything up to the first empty line.
struct HeadReader {
  /// What has been understood so far.
  enum Progress: Equatable {
    /// More is to come.
    case part
    /// The head's lines; the last `rest` bytes of the last piece come after it.
    case complete(lines: [String], rest: Int)
    /// Longer than any head that is meant for this program.
    case tooLong
  }

  private static let limit = 4096
  private static let end = Array("\r\n\r\n".utf8)
  private var text: [UInt8] = []

  /// Takes what arrived. Complexity: O(bytes of the head).
  mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Progress {
    for (index, byte) in bytes.enumerated() {
      text.append(byte)
      if byte == UInt8(ascii: "\n"), text.suffix(4).elementsEqual(Self.end) {
        // Split at the bytes: to a String, \r\n is one character.
        let lines = text.split(separator: UInt8(ascii: "\n")).map {
          String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self)
        }
        return .complete(lines: lines.filter { !$0.isEmpty }, rest: bytes.count - index - 1)
      }
      if text.count >= Self.limit { return .tooLong }
    }
    return .part
  }
}
