import Protocol
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
      "", ":7420", "http://hub", "hub:0", "wss://hub:0", "ws://hub/path", "wss://",
    ])
  func badHub(_ text: String) {
    #expect(throws: AddressError.self) { try HubAddress(parsing: text) }
  }

  @Test(
    "TLS is what one gets without asking, and the text to keep says when not",
    arguments: [
      ("hub", true, "hub:7420"), ("wss://hub:1", true, "hub:1"), ("WSS://[::1]:9", true, "[::1]:9"),
      ("ws://hub", false, "ws://hub:7420"), ("ws://[::1]:9/", false, "ws://[::1]:9"),
    ])
  func secure(_ text: String, _ isSecure: Bool, _ kept: String) throws {
    let address = try HubAddress(parsing: text)
    #expect(address.secure == isSecure)
    #expect(address.text == kept)
    #expect(try HubAddress(parsing: address.text) == address)
  }

  @Test(
    "the own machine's addresses are known",
    arguments: [
      ("127.0.0.1", true), ("127.9.8.7", true), ("::1", true), ("::ffff:127.0.0.1", true),
      ("::FFFF:127.0.0.2", true), ("128.0.0.1", false), ("10.0.0.1", false), ("::2", false),
      ("127.0.0.1.evil", false), ("127.1", false), ("::ffff:10.0.0.1", false), ("", false),
      ("fe80::1", false), ("127.0.0.256", false),
    ])
  func loopback(_ peer: String, _ isLoopback: Bool) {
    #expect(PlainPolicy.loopback.allows(peer) == isLoopback)
    #expect(PlainPolicy.everyone.allows(peer))
    #expect(!PlainPolicy.nobody.allows(peer))
  }
}
