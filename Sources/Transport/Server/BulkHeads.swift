/// What a hub looks at in the request for a bulk stream.
struct BulkRequest {
  /// The direction; nil when the path or the method is another.
  let direction: BulkDirection?
  /// The ticket; nil when there is none of the right form.
  let ticket: [UInt8]?

  /// A request from the lines of its head.
  init(lines: [String]) {
    let words = (lines.first ?? "").split(separator: " ").prefix(2)
    switch (words.first, words.last) {
    case ("GET", "/bulk/down"): direction = .down
    case ("POST", "/bulk/up"): direction = .up
    default: direction = nil
    }
    let name = "authorization:"
    let header = lines.dropFirst().first { $0.lowercased().hasPrefix(name) }
    let value = header.map { $0.utf8.dropFirst(name.utf8.count).drop { $0 == 0x20 || $0 == 9 } }
    ticket = value.flatMap { Ticket.parse(Array($0)) }
  }
}

/// What a link looks at in the answer to such a request.
struct BulkResponse {
  /// The HTTP status; nil when it is no HTTP/1.1.
  let status: UInt16?
  /// The first line.
  let line: String

  /// An answer from the lines of its head.
  init(lines: [String]) {
    line = lines.first ?? ""
    let words = line.split(separator: " ")
    status = words.count >= 2 && words[0] == "HTTP/1.1" ? UInt16(words[1]) : nil
  }
}
