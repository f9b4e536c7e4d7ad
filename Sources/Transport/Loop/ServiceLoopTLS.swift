import COpenSSL
import CWebSockets

extension ServiceLoop {
  /// Whose part a loop takes in TLS handshakes.
  enum TLS {
    /// A server's.
    case server(ServerTLS)
    /// A client's.
    case client(ClientTLS)
  }

  /// What libwebsockets must know of TLS to make its context.
  func prepareTLS(_ info: inout lws_context_creation_info) {
    guard let tls else { return }
    info.options |= UInt64(LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT)
    info.alpn = UnsafePointer(protocols.httpALPN)
    switch tls {
    case .client(let client): info.provided_client_ssl_ctx = client.context
    case .server(let server):
      info.options |= UInt64(LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX)
      info.provided_client_ssl_ctx = server.unusedClient
    }
  }
}
