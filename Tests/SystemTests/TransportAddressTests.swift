import Testing
import Transport

@Suite("Addresses")
struct TransportAddressTests {
  @Test(
    "where to listen is understood",
    arguments: [
      ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:7420", "::1", 7420), (":7421", "", 7421),
      ("0.0.0.0:7420", "0.0.0.0", 7420), ("localhost", "localhost", 7420), ("[::]", "::", 7420),
    ] as [(String, String, UInt16)])
  func listen(_ text: String, _ host: String, _ port: UInt16) throws {
    #expect(try ListenAddress(parsing: text) == ListenAddress(host: host, port: port))
  }

  @Test(
    "where not to listen is said",
    arguments: [
      "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:7420", "a b:1", "a/b", "[::1]7420",
    ])
  func badListen(_ text: String) {
    #expect(throws: AddressError.self) { try ListenAddress(parsing: text) }
  }

  @Test(
    "a hub's address is understood",
    arguments: [
      ("hub.example", "hub.example:7420"), ("hub:1", "hub:1"), ("ws://hub:99", "hub:99"),
      ("WS://hub:99/", "hub:99"), ("ws://[::1]", "[::1]:7420"), ("10.0.0.1", "10.0.0.1:7420"),
    ])
  func hub(_ text: String, _ written: String) throws {
    #expect(try "\(HubAddress(parsing: text))" == written)
  }

  @Test(
    "what is no hub's address is said",
    arguments: [
      "", ":7420", "http://hub", "hub:0", "wss://hub", "ws://hub/path", "ws://",
    ])
  func badHub(_ text: String) {
    #expect(throws: AddressError.self) { try HubAddress(parsing: text) }
  }

  @Test("TLS is refused in so many words")
  func secure() {
    let error = #expect(throws: AddressError.self) { try HubAddress(parsing: "wss://hub:1") }
    #expect(error?.description.contains("TLS is not built in") == true)
  }
}
