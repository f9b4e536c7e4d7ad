package import Protocol

extension ListenAddress {
  /// The port on which a program says how it does where none is given.
  package static let defaultProbePort: UInt16 = 7421

  /// Reads where a program says how it does: `7421`, `:7421`, `127.0.0.1:7421`, `[::1]`. Without a
  /// host it is this machine alone; `0.0.0.0:7421` is every address of it.
  package init(parsingProbe text: String) throws(AddressError) {
    if let port = UInt16(text) {
      self.init(host: "127.0.0.1", port: port)
      return
    }
    let (host, port) = try splitHostAndPort(text)
    self.init(host: host.isEmpty ? "127.0.0.1" : host, port: port ?? Self.defaultProbePort)
  }
}
