import CWebSockets
import Glibc
import Protocol
import System

/// A listening TCP socket. libwebsockets only polls it: binding and accepting here gives clear
/// errors, a chosen port and a bound on connections.
final class ListenSocket {
  /// The bound port.
  let port: UInt16
  private let descriptor: OwnedDescriptor
  /// Given up for a moment when the process has no descriptor left, so that the waiting connection
  /// can be accepted and closed instead of waking the loop for ever.
  private var reserve: OwnedDescriptor?

  /// Binds and listens. Throws an error that names the address and the reason.
  init(_ address: ListenAddress) throws(SystemError) {
    descriptor = try ListenSocket.open(address)
    guard let own = SocketEnd.own(descriptor.raw) else {
      throw SystemError(code: errno, call: "getsockname")
    }
    port = own.port
    reserve = ListenSocket.openReserve()
  }

  /// A copy of the descriptor for the event loop, which closes it.
  func duplicate() throws(SystemError) -> Int32 {
    try retryingOnInterrupt("duplicate the listening socket") {
      fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 0)
    }
  }

  /// The next waiting connection: non-blocking, without delay. Nil when there is none.
  func accept() -> Int32? {
    while true {
      let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      let raw = accept4(descriptor.raw, __SOCKADDR_ARG(), nil, flags)
      if raw >= 0 {
        var one: Int32 = 1
        setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(4))
        ProtocolSniffer.prepare(raw)
        return raw
      }
      switch errno {
      case EINTR, ECONNABORTED: continue
      case EMFILE, ENFILE:
        guard refuseOne() else { return nil }
      default: return nil
      }
    }
  }

  private func refuseOne() -> Bool {
    guard reserve != nil else { return false }
    reserve = nil
    let raw = accept4(descriptor.raw, __SOCKADDR_ARG(), nil, Int32(SOCK_CLOEXEC.rawValue))
    if raw >= 0 { close(raw) }
    reserve = ListenSocket.openReserve()
    return raw >= 0
  }

  private static func open(_ address: ListenAddress) throws(SystemError) -> OwnedDescriptor {
    var failure = SystemError(code: EADDRNOTAVAIL, call: "listen on \(address)")
    for candidate in try SocketAddress.resolve(address) {
      do throws(SystemError) {
        return try candidate.listen(failure.call)
      } catch {
        failure = error
      }
    }
    throw failure
  }

  private static func openReserve() -> OwnedDescriptor? {
    let raw = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    return raw >= 0 ? OwnedDescriptor(raw) : nil
  }
}
