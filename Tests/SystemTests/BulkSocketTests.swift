import Glibc
import System
import Testing
import Transport

/// What the kernel may hold back of a bulk stream.
struct BulkSocketTests {
  /// Bytes that a connected socket may send ahead of its peer, before and after it was prepared.
  private func buffer(own: UInt8, peer: UInt8) throws -> (before: Int32, after: Int32) {
    let socket = OwnedDescriptor(
      try retryingOnInterrupt("socket") {
        Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
    // Nothing is sent by connecting a datagram socket.
    try name(own, port: 0) { address, length in bind(socket.raw, address, length) }
    try name(peer, port: 9) { address, length in connect(socket.raw, address, length) }
    let before = try size(socket)
    BulkSocket.prepare(socket.raw)
    return (before, try size(socket))
  }

  private func name(
    _ last: UInt8, port: UInt16, _ use: (__CONST_SOCKADDR_ARG, socklen_t) -> Int32
  ) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = (127 << 24 | UInt32(last)).bigEndian
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try retryingOnInterrupt("name a socket") {
      // SAFETY: `length` bytes of an address, used inside of the closure only.
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          use(__CONST_SOCKADDR_ARG(__sockaddr__: $0), length)
        }
      }
    }
  }

  private func size(_ socket: OwnedDescriptor) throws -> Int32 {
    var bytes: Int32 = 0
    var length = socklen_t(4)
    try retryingOnInterrupt("getsockopt") {
      getsockopt(socket.raw, SOL_SOCKET, SO_SNDBUF, &bytes, &length)
    }
    return bytes
  }

  @Test func `is bounded where the peer is on this machine`() throws {
    let (before, after) = try buffer(own: 1, peer: 1)
    #expect(after != before || before == 2 * Int32(BulkSocket.localBuffer))
    // The kernel counts its own bookkeeping too, and may allow less than was asked for.
    #expect(after <= 2 * Int32(BulkSocket.localBuffer))
  }

  @Test func `is left to the kernel where the peer is somewhere else`() throws {
    let (before, after) = try buffer(own: 1, peer: 2)
    #expect(after == before)
  }
}
