import CWebSockets
import Glibc

/// The table of protocols that a context of libwebsockets needs for its whole life.
final class ServiceProtocols {
  /// Bytes that libwebsockets reads at once.
  static let bufferSize = 262_144

  // SAFETY: the table and the names are made in init and freed in deinit, after the context's end.
  let list: UnsafeMutablePointer<lws_protocols>
  /// Protocol of the control plane, also its name on the wire.
  let controlName: UnsafeMutablePointer<CChar>
  /// Protocol of the bulk streams.
  let bulkName: UnsafeMutablePointer<CChar>
  /// Protocol of descriptors that are only polled.
  let pollName: UnsafeMutablePointer<CChar>
  /// What is offered and accepted under TLS for the control plane (RFC 7301): HTTP/2 is not.
  let httpALPN: UnsafeMutablePointer<CChar>
  private let httpName: UnsafeMutablePointer<CChar>

  /// A table whose protocols all call `serviceCallback`.
  init() {
    guard let http = strdup("http"), let control = strdup("fsharefs"),
      let bulk = strdup("fsharefs-bulk"), let poll = strdup("fsharefs-poll"),
      let alpn = strdup("http/1.1")
    else { preconditionFailure("out of memory") }
    httpName = http
    controlName = control
    bulkName = bulk
    pollName = poll
    httpALPN = alpn
    list = .allocate(capacity: 5)
    list.initialize(repeating: lws_protocols(), count: 5)
    // The first one gets what is plain HTTP.
    for (index, name) in [http, control, bulk, poll].enumerated() {
      list[index].name = UnsafePointer(name)
      list[index].callback = serviceCallback
      // Each WebSocket connection has a buffer of this size of its own.
      list[index].rx_buffer_size = index == 1 ? 65536 : Self.bufferSize
      // Below 1 MiB libwebsockets cuts what it is given into pieces.
      list[index].tx_packet_size = 1 << 20
    }
  }

  deinit {
    list.deallocate()
    for name in [httpName, controlName, bulkName, pollName, httpALPN] { free(name) }
  }
}
