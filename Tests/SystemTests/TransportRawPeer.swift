import CLinux
import Glibc
import System

/// A peer that speaks whatever it likes: a plain blocking socket to a hub.
final class RawPeer {
  private let socketDescriptor: OwnedDescriptor

  /// Connects to this machine's `port`, as 127.0.0.`host`.
  init(port: UInt16, from host: UInt8 = 1) throws {
    let raw = try retryingOnInterrupt("socket") {
      socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
    socketDescriptor = OwnedDescriptor(raw)
    try retryingOnInterrupt("bind") {
      withAddress(host, 0) { bind(raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0), 16) }
    }
    try retryingOnInterrupt("connect") {
      withAddress(1, port) { connect(raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0), 16) }
    }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Sends bytes; a peer that has closed is no error here.
  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(socketDescriptor.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Closes this direction only.
  func endSending() { shutdown(socketDescriptor.raw, Int32(SHUT_WR)) }

  /// What comes next, at most `limit` bytes; empty when the hub has closed or is silent.
  func receive(_ limit: Int = 65536) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = recv(socketDescriptor.raw, &bytes, limit, 0)
    return count > 0 ? Array(bytes[..<count]) : []
  }

  /// Everything until `isEnough`, or until the hub closes.
  func receive(until isEnough: ([UInt8]) -> Bool) -> [UInt8] {
    var all: [UInt8] = []
    while !isEnough(all) {
      let more = receive()
      if more.isEmpty { break }
      all += more
    }
    return all
  }

  /// Everything until the hub closes.
  func receiveAll() -> [UInt8] { receive { _ in false } }

  /// Whether the hub closed the connection, after whatever it still said.
  func isClosed() -> Bool {
    while true {
      let bytes = receive()
      if bytes.isEmpty { return errno != EAGAIN }
    }
  }

  /// Reads the head of a response.
  func receiveHead() -> String {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      let more = receive(1)
      if more.isEmpty { break }
      head += more
    }
    return String(decoding: head, as: UTF8.self)
  }

  /// Becomes a WebSocket of the control plane.
  func upgrade(path: String = "/control", subprotocol: String = "fsharefs") -> String {
    send(
      "GET \(path) HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Protocol: \(subprotocol)\r\n\r\n")
    return receiveHead()
  }

  /// Sends a masked WebSocket frame (RFC 6455, 5.2) with an all-zero mask.
  func sendWebSocket(opcode: UInt8, final: Bool = true, _ payload: [UInt8]) {
    let count = payload.count
    var head: [UInt8] = [(final ? 0x80 : 0) | opcode]
    if count < 126 {
      head.append(0x80 | UInt8(count))
    } else {
      head.append(0x80 | 127)
      for shift in stride(from: 56, through: 0, by: -8) { head.append(UInt8(count >> shift & 255)) }
    }
    send(head + [0, 0, 0, 0] + payload)
  }

  /// The code of the close frame that the hub sends; nil when there is none.
  func closeCode() -> Int? {
    let bytes = receiveAll()
    guard let at = bytes.firstIndex(of: 0x88), at + 3 < bytes.count else { return nil }
    return Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
  }

  /// Asks for a bulk stream.
  func requestBulk(_ line: String, ticket: UInt8, extra: String = "") {
    let digits = String(repeating: (ticket < 16 ? "0" : "") + String(ticket, radix: 16), count: 32)
    send("\(line) HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer \(digits)\r\n\(extra)\r\n")
  }
}

/// The header that makes a body endless.
let endlessBody = "Content-Length: 1152921504606846976\r\n"

/// Calls `body` with 127.0.0.`host` and `port`.
private func withAddress(
  _ host: UInt8, _ port: UInt16, _ body: (UnsafePointer<sockaddr>?) -> Int32
) -> Int32 {
  // Family, port and address in network order: a sockaddr_in, byte by byte.
  var address: [UInt8] = [0, 0, UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, host]
  address += [UInt8](repeating: 0, count: 8)
  withUnsafeBytes(of: sa_family_t(AF_INET)) { address.replaceSubrange(0..<2, with: $0) }
  // SAFETY: 16 bytes in the layout of sockaddr_in; the pointer stays inside the closure.
  return address.withUnsafeBytes { bytes in
    body(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self))
  }
}
