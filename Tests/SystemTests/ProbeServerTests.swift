import Glibc
import Protocol
import Synchronization
import System
import Testing
import Transport

/// The port on which a program says how it does.
struct ProbeServerTests {
  private func withServer(
    _ limits: ProbeServer.Limits = ProbeServer.Limits(), _ body: (UInt16) throws -> Void
  ) throws {
    let server = try ProbeServer(
      listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits
    ) { path in
      switch path {
      case "/healthz": ProbeAnswer(status: "200 OK", text: "ok")
      case "/long":
        ProbeAnswer(status: "200 OK", type: "x/y", body: [UInt8](repeating: 0x61, count: 300_000))
      default: nil
      }
    }
    try server.start()
    defer { server.stop() }
    try body(server.port)
  }

  private func ask(_ port: UInt16, _ request: String) throws -> String {
    let peer = try RawPeer(port: port)
    peer.send(request)
    return String(decoding: peer.receive { _ in false }, as: UTF8.self)
  }

  @Test func `a path is answered once, whole, and the connection ends`() throws {
    try withServer { port in
      let answer = try ask(port, "GET /healthz?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok\n"))
      #expect(answer.contains("\r\nContent-Length: 3\r\n"))
      let head = try ask(port, "HEAD /healthz HTTP/1.0\r\n\r\n")
      #expect(head.contains("Content-Length: 3\r\n") && head.hasSuffix("\r\n\r\n"))
      #expect(try ask(port, "GET /long HTTP/1.1\r\n\r\n").utf8.count > 300_000)
    }
  }

  @Test func `what is no such request is refused`() throws {
    try withServer { port in
      #expect(try ask(port, "GET / HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
      let refused = try ask(port, "POST /healthz HTTP/1.1\r\n\r\n")
      #expect(refused.hasPrefix("HTTP/1.1 405 ") && refused.contains("\r\nAllow: GET, HEAD\r\n"))
      #expect(try ask(port, "nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
      let long = "GET /healthz HTTP/1.1\r\nX: " + String(repeating: "y", count: 5_000)
      #expect(try ask(port, long).hasPrefix("HTTP/1.1 431 "))
    }
  }

  @Test func `who sends a head byte by byte is understood, and who sends none is closed`() throws {
    var limits = ProbeServer.Limits()
    limits.time = .seconds(1)
    try withServer(limits) { port in
      let slow = try RawPeer(port: port)
      for byte in Array("GET /healthz HTTP/1.1\r\n\r\n".utf8) { slow.send([byte]) }
      #expect(String(decoding: slow.receive { _ in false }, as: UTF8.self).hasSuffix("ok\n"))
      let silent = try RawPeer(port: port)
      #expect(silent.receive { _ in false }.isEmpty)
    }
  }

  @Test func `there are only so many connections, and room again when they end`() throws {
    var limits = ProbeServer.Limits()
    limits.connections = 2
    try withServer(limits) { port in
      var idle: [RawPeer] = try (0..<2).map { _ in try RawPeer(port: port) }
      #expect(try ask(port, "GET /healthz HTTP/1.1\r\n\r\n").isEmpty)
      idle.removeAll()
      let deadline = MonotonicClock.now + .seconds(10)
      while try ask(port, "GET /healthz HTTP/1.1\r\n\r\n").isEmpty {
        try #require(MonotonicClock.now < deadline)
      }
    }
  }

  @Test(arguments: [
    ("9100", "127.0.0.1:9100"), (":9100", "127.0.0.1:9100"), ("[::1]", "[::1]:7421"),
    ("0.0.0.0:1", "0.0.0.0:1"),
  ])
  func `without a host the port is this machine's alone`(text: String, meant: String) throws {
    #expect("\(try ListenAddress(parsingProbe: text))" == meant)
  }
}
