import CWebSockets
import Protocol

/// The sockets that a service loop serves. Service thread only.
extension ServiceLoop {
  /// What libwebsockets is to do with a descriptor.
  enum Adoption {
    /// Only say when it can be read.
    case poll
    /// Speak HTTP on it, under TLS or not.
    case http(secure: Bool)
    /// Move bytes, under TLS or not.
    case raw(secure: Bool)
  }

  /// Passes a descriptor to libwebsockets, which owns it then. Nil when it was closed instead.
  func adopt(_ descriptor: Int32, as adoption: Adoption, id: UInt64) -> OpaquePointer? {
    guard let context else { return nil }
    let (type, name): (UInt32, UnsafeMutablePointer<CChar>?) =
      switch adoption {
      case .poll: (LWS_ADOPT_RAW_FILE_DESC.rawValue, protocols.pollName)
      case .http(let secure):
        (LWS_ADOPT_SOCKET.rawValue | LWS_ADOPT_HTTP.rawValue | tlsFlag(secure), nil)
      case .raw(let secure): (LWS_ADOPT_SOCKET.rawValue | tlsFlag(secure), protocols.bulkName)
      }
    return cws_adopt(lws_get_vhost_by_name(context, "default"), type, descriptor, name, tag(id))
  }

  /// Begins a connection to a hub: of the control plane, with TLS if the address says so, or for
  /// `raw` a plain socket. `route`: its address in numbers; libwebsockets would look a name up on
  /// this thread.
  func connect(
    to address: HubAddress, by route: String, raw: Bool, id: UInt64
  ) -> OpaquePointer? {
    var info = lws_client_connect_info()
    info.context = context
    info.port = Int32(address.port)
    info.ietf_version_or_minus_one = -1
    info.opaque_user_data = tag(id)
    info.local_protocol_name = UnsafePointer(
      raw ? protocols.bulkName : protocols.controlName)
    if !raw { info.protocol = UnsafePointer(protocols.controlName) }
    if !raw, address.secure {
      info.ssl_connection = Int32(LCCSCF_USE_SSL.rawValue)
      info.alpn = UnsafePointer(protocols.httpALPN)
    }
    // SAFETY: libwebsockets copies these strings before it returns.
    return route.withCString { host in
      "\(address)".withCString { hostHeader in
        "/control".withCString { path in
          "RAW".withCString { method in
            info.address = host
            info.host = hostHeader
            info.path = path
            if raw { info.method = method }
            return lws_client_connect_via_info(&info)
          }
        }
      }
    }
  }

  /// Whether a socket speaks the protocol of the control plane.
  func isControl(_ socket: OpaquePointer) -> Bool {
    // SAFETY: the answer points into the table or a copy of it, made by libwebsockets, which keeps
    // the address of the name.
    lws_get_protocol(socket)?.pointee.name == UnsafePointer(protocols.controlName)
  }
}

private func tlsFlag(_ secure: Bool) -> UInt32 { secure ? LWS_ADOPT_ALLOW_SSL.rawValue : 0 }
