import CWebSockets

/// The head of a request of HTTP/1.1.
package struct WebRequest: Sendable {
  /// The methods that are served.
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  package let method: Method
  /// The path, percent-decoded: any bytes.
  package let path: [UInt8]
  /// What follows `?`: names and values, percent-decoded; a name without `=` has an empty value.
  package let query: [String: [UInt8]]
  package let host: String
  package let origin: String?
  package let cookie: String?
  package let range: String?
  package let ifRange: String?
  package let contentType: String?
  /// Bytes of the body; nil where it was not said, or is no number.
  package let contentLength: UInt64?
  /// Whether the body comes in pieces of which only the last says that it is (RFC 9112, 7.1).
  package let isChunked: Bool
  /// Whether the other end waits for a word before it sends the body.
  package let expectsContinue: Bool
  /// What the browser says of who asks: `same-origin`, `cross-site`, ... (`Sec-Fetch-Site`).
  package let fetchSite: String?
  /// The header in which a page shows that it is let in.
  package let key: String?
  /// The numeric address of the other end.
  package let peer: String

  /// The head that libwebsockets has read from a socket; nil for a method that is not served.
  init?(_ socket: OpaquePointer) {
    let methods: [(Method, lws_token_indexes)] = [
      (.get, WSI_TOKEN_GET_URI), (.post, WSI_TOKEN_POST_URI), (.put, WSI_TOKEN_PUT_URI),
      (.delete, WSI_TOKEN_DELETE_URI), (.head, WSI_TOKEN_HEAD_URI),
    ]
    guard
      let (method, token) = methods.first(where: { lws_hdr_total_length(socket, $0.1) > 0 }),
      let path = Self.bytes(of: token, socket)
    else { return nil }
    func text(_ token: lws_token_indexes) -> String? {
      Self.bytes(of: token, socket).map { String(decoding: $0, as: UTF8.self) }
    }
    self.method = method
    self.path = path
    query = Self.query(socket)
    host = text(WSI_TOKEN_HOST) ?? ""
    origin = text(WSI_TOKEN_ORIGIN)
    cookie = text(WSI_TOKEN_HTTP_COOKIE)
    range = text(WSI_TOKEN_HTTP_RANGE)
    ifRange = text(WSI_TOKEN_HTTP_IF_RANGE)
    contentType = text(WSI_TOKEN_HTTP_CONTENT_TYPE)
    contentLength = text(WSI_TOKEN_HTTP_CONTENT_LENGTH).flatMap { UInt64($0) }
    isChunked = text(WSI_TOKEN_HTTP_TRANSFER_ENCODING) != nil
    expectsContinue = text(WSI_TOKEN_HTTP_EXPECT)?.lowercased() == "100-continue"
    fetchSite = Self.header("sec-fetch-site:", socket)
    key = Self.header("x-fsharefs-key:", socket)
    peer = peerAddress(socket)
  }

  private static func bytes(of token: lws_token_indexes, _ socket: OpaquePointer) -> [UInt8]? {
    let length = lws_hdr_total_length(socket, token)
    guard length > 0 else { return nil }
    return copied(Int(length)) { lws_hdr_copy(socket, $0, $1, token) }
  }

  private static func header(_ name: String, _ socket: OpaquePointer) -> String? {
    let length = lws_hdr_custom_length(socket, name, Int32(name.utf8.count))
    guard length > 0 else { return nil }
    return copied(Int(length)) {
      lws_hdr_custom_copy(socket, $0, $1, name, Int32(name.utf8.count))
    }.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func query(_ socket: OpaquePointer) -> [String: [UInt8]] {
    let total = Int(lws_hdr_total_length(socket, WSI_TOKEN_HTTP_URI_ARGS))
    guard total > 0 else { return [:] }
    var found: [String: [UInt8]] = [:]
    for index in 0..<Int32(maxArguments) {
      let part = copied(total) {
        lws_hdr_copy_fragment(socket, $0, $1, WSI_TOKEN_HTTP_URI_ARGS, index)
      }
      guard let part else { break }
      let end = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      found[String(decoding: part[..<end], as: UTF8.self)] = Array(part[end...].dropFirst())
    }
    return found
  }

  private static let maxArguments = 16

  /// Calls what copies text of `length` bytes at most, and a zero byte behind it; nil where it
  /// fails.
  private static func copied(
    _ length: Int, _ copy: (UnsafeMutablePointer<CChar>, Int32) -> Int32
  ) -> [UInt8]? {
    var buffer = [CChar](repeating: 0, count: length + 1)
    let size = Int32(buffer.count)
    // SAFETY: `size` bounds what is written, and the pointer stays inside the closure.
    let count = buffer.withUnsafeMutableBufferPointer { copy($0.baseAddress!, size) }
    return count >= 0 ? buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) } : nil
  }
}
