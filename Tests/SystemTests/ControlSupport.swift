// Whichever of CLinux and Glibc is read first owns <sys/un.h>.
import CLinux
import Control
import Glibc
import System

/// A state folder of a test's own, removed with what is in it when the test lets go of it.
final class ControlFolder: Sendable {
  /// The folder's path.
  let path: String

  /// Makes a folder; `padding` makes its path longer.
  init(padding: Int = 0) throws {
    let name = "/tmp/fsharefs-control-\(SecureRandom.uint64())"
    path = name + String(repeating: "x", count: padding)
    try File.makeDirectories(path, mode: 0o700)
  }

  deinit {
    _ = unlink(socket)
    _ = rmdir(path)
  }

  /// The path of the socket in it.
  var socket: String { path + "/control.sock" }

  /// The kind and permission bits of the socket; nil when it is not there.
  var socketMode: UInt32? { try? Stat(path: socket).mode }

  /// Leaves a socket that nobody listens on, as a killed process does.
  func leaveStaleSocket() throws {
    let descriptor = try newSocket()
    try withAddress(of: self) { address, length in
      _ = try retryingOnInterrupt("bind") { bind(descriptor.raw, address, length) }
    }
  }
}

/// A client that speaks the wire format by hand, right or wrong.
struct RawControlClient {
  private let connection: OwnedDescriptor

  /// Connects to the socket of a folder whose path is short.
  init(_ folder: ControlFolder) throws {
    let descriptor = try newSocket()
    try withAddress(of: folder) { address, length in
      _ = try retryingOnInterrupt("connect") { connect(descriptor.raw, address, length) }
    }
    connection = descriptor
  }

  /// Sends bytes as they are.
  func send(_ bytes: [UInt8]) throws {
    try File.writeAll(bytes, to: connection.raw, "control socket")
  }

  /// Sends a length, then text.
  func send(length: UInt32, _ text: String) throws {
    let head = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    try send(head + Array(text.utf8))
  }

  /// Everything that the server sends until it ends the connection, without the length.
  func answer() throws -> String {
    var received: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = try retryingOnInterrupt("read") { read(connection.raw, &piece, piece.count) }
      if count == 0 { return String(decoding: received.dropFirst(4), as: UTF8.self) }
      received += piece[..<count]
    }
  }
}

private func newSocket() throws -> OwnedDescriptor {
  let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
  return OwnedDescriptor(try retryingOnInterrupt("socket") { socket(AF_UNIX, type, 0) })
}

private func withAddress(
  of folder: ControlFolder, _ body: (__CONST_SOCKADDR_ARG, socklen_t) throws -> Void
) throws {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  // SAFETY: traps when the path does not fit.
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(folder.socket.utf8)) }
  // SAFETY: the pointer stays inside the closure.
  try withUnsafePointer(to: &address) {
    try body(
      __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
  }
}
