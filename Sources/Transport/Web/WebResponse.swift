/// A response of HTTP/1.1: its head, and its content where that is short.
package struct WebResponse: Sendable {
  package var status: Int
  /// Names and values, beside those that say how long the content is.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  /// A response.
  package init(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The bytes of the head. `length`: of the content; nil where nobody knows before its end.
  func head(length: UInt64?, closes: Bool) -> [UInt8] {
    var lines = ["HTTP/1.1 \(status) \(Self.reasons[status] ?? "Status")"]
    lines += headers.map { "\($0.name): \(Self.clean($0.value))" }
    if let length {
      lines.append("Content-Length: \(length)")
    } else {
      lines.append("Transfer-Encoding: chunked")
    }
    lines.append("Connection: \(closes ? "close" : "keep-alive")")
    return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
  }

  /// No value ends its line.
  private static func clean(_ value: String) -> String {
    String(
      String.UnicodeScalarView(value.unicodeScalars.filter { $0.value >= 32 && $0 != "\u{7F}" }))
  }

  private static let reasons = [
    200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 411: "Length Required",
    413: "Content Too Large", 416: "Range Not Satisfiable", 421: "Misdirected Request",
    429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
    504: "Gateway Timeout", 507: "Insufficient Storage",
  ]
}
