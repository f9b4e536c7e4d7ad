import CWebSockets

/// What a hub looks at in the head of a request. Valid during the callback that announced it.
struct HTTPRequest {
  private let socket: OpaquePointer

  /// The request that was just read from `socket`.
  init(_ socket: OpaquePointer) {
    self.socket = socket
  }

  /// Whether it is a GET.
  var isGet: Bool { lws_hdr_total_length(socket, WSI_TOKEN_GET_URI) > 0 }
  /// Whether it is a POST.
  var isPost: Bool { lws_hdr_total_length(socket, WSI_TOKEN_POST_URI) > 0 }

  /// The path of a GET; empty when there is none.
  var getPath: [UInt8] { header(WSI_TOKEN_GET_URI) }

  /// The ticket of its Authorization header.
  var ticket: [UInt8]? { Ticket.parse(header(WSI_TOKEN_HTTP_AUTHORIZATION)) }

  private func header(_ token: lws_token_indexes) -> [UInt8] {
    var text = [CChar](repeating: 0, count: 128)
    // Longer than any that matters here counts as absent.
    let count = lws_hdr_copy(socket, &text, Int32(text.count), token)
    return count > 0 ? text[..<Int(count)].map { UInt8(bitPattern: $0) } : []
  }
}

/// The numeric address of the other end.
func peerAddress(_ socket: OpaquePointer) -> String {
  var text = [CChar](repeating: 0, count: 64)
  lws_get_peer_simple(socket, &text, text.count)
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
