/// What is answered to one who asks how a program does.
package struct ProbeAnswer: Sendable, Equatable {
  /// The status line's words, `200 OK`.
  package let status: String
  /// The content's type.
  package let type: String
  /// The content.
  package let body: [UInt8]

  /// An answer.
  package init(status: String, type: String, body: [UInt8]) {
    self.status = status
    self.type = type
    self.body = body
  }

  /// A line of text for people.
  package init(status: String, text: String) {
    self.init(
      status: status, type: "text/plain; charset=utf-8", body: Array("\(text)\n".utf8))
  }

  /// The HTTP/1.1 response. `isHead`: without its content.
  func response(isHead: Bool) -> [UInt8] {
    var lines = [
      "HTTP/1.1 \(status)", "Content-Type: \(type)", "Content-Length: \(body.count)",
      // What is true now is not in a minute, and no page of the web is to make anything of it.
      "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Connection: close",
    ]
    if status.hasPrefix("405") { lines.append("Allow: GET, HEAD") }
    let head = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
    return isHead ? head : head + body
  }
}

/// The line with which a request begins.
struct ProbeRequest: Equatable {
  let method: String
  /// Without what follows `?`.
  let path: String

  /// nil for what is no request of HTTP/1.
  init?(lines: [String]) {
    guard let words = lines.first?.split(separator: " ", omittingEmptySubsequences: false),
      words.count == 3, words[2].hasPrefix("HTTP/1.")
    else { return nil }
    method = String(words[0])
    path = String(words[1].prefix { $0 != "?" })
  }
}
