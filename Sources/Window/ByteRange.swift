/// The part of a content that a request asks for (RFC 9110, 14.2): one range; where several are
/// asked for, or what was said cannot be read, it is all of it.
enum ByteRange: Equatable {
  case whole
  case part(Range<Int64>)
  /// There are no such bytes.
  case none

  init(_ header: String?, size: Int64) {
    self = .whole
    guard let header, header.hasPrefix("bytes=") else { return }
    let ends = header.dropFirst(6).split(
      separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2, !header.contains(",") else { return }
    let (first, last) = (ends[0].filter { $0 != " " }, ends[1].filter { $0 != " " })
    if first.isEmpty {
      guard let count = Int64(last), count >= 0 else { return }
      self = count == 0 || size == 0 ? .none : .part(max(0, size - count)..<size)
      return
    }
    guard let start = Int64(first), start >= 0 else { return }
    var end = size
    if !last.isEmpty {
      guard let said = Int64(last), said >= start else { return }
      end = said >= size ? size : said + 1
    }
    self = start < size ? .part(start..<end) : .none
  }
}
