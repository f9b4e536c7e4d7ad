import Glibc
import Hostile
import System

/// HTTP/1.1 by hand, so that a test can say what no browser would.
struct PlainHTTP {
  /// What came back.
  struct Answer {
    let status: Int
    let head: String
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of a header.
    func header(_ name: String) -> String? { PlainHTTP.header(name, in: head) }
  }

  let port: UInt16

  /// Asks once, by a connection of its own.
  func ask(
    _ method: String, _ path: String, _ headers: [String] = [], body: [UInt8] = []
  ) throws -> Answer {
    let socket = try Socket.connected(to: "127.0.0.1:\(port)").descriptor
    var lines = ["\(method) \(path) HTTP/1.1"]
    if !headers.contains(where: { $0.hasPrefix("Host:") }) {
      lines.append("Host: 127.0.0.1:\(port)")
    }
    lines += headers + ["Connection: close"]
    if !body.isEmpty || ["POST", "PUT"].contains(method) {
      lines.append("Content-Length: \(body.count)")
    }
    let request = Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + body
    try File.writeAll(request, to: socket.raw, "a request")
    return try Self.answer(socket)
  }

  private static func answer(_ socket: OwnedDescriptor) throws -> Answer {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let end = headEnd(bytes)
      if let end, let length = contentLength(bytes[..<end]), bytes.count >= end + 4 + length {
        break
      }
      let count = try retryingOnInterrupt("recv") { recv(socket.raw, &piece, piece.count, 0) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    let end = headEnd(bytes) ?? bytes.count
    let head = String(decoding: bytes[..<end], as: UTF8.self)
    let words = head.split(separator: " ", maxSplits: 2)
    return Answer(
      status: words.count > 1 ? Int(words[1]) ?? 0 : 0, head: head,
      body: Array(bytes.dropFirst(end + 4)))
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (0...(bytes.count - 4)).first { bytes[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }
  }

  private static func contentLength(_ head: ArraySlice<UInt8>) -> Int? {
    header("Content-Length", in: String(decoding: head, as: UTF8.self)).flatMap { Int($0) }
  }

  private static func header(_ name: String, in head: String) -> String? {
    for line in head.split(separator: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == name.lowercased() {
        return String(parts[1].drop { $0 == " " })
      }
    }
    return nil
  }
}
