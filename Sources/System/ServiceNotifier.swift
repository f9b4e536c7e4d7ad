import CLinux
import Glibc

/// Tells the service manager how the program is doing: the protocol of sd_notify(3).
///
/// Does nothing where no service manager asked for it. Failures are ignored, as sd_notify(3) says.
package struct ServiceNotifier: Sendable {
  private let address: [UInt8]?

  /// `socket` is a path, or `@name` for an abstract one; nil when nobody listens.
  package init(socket: String? = Environment.get("NOTIFY_SOCKET")) {
    address = socket.map { Array($0.utf8) }
  }

  /// The program is ready.
  package func ready() { send("READY=1") }

  /// One line on what the program is doing.
  package func status(_ text: String) {
    send("STATUS=" + text.replacing("\n", with: " "))
  }

  /// The program looks at its settings again; `ready` says that it has.
  package func reloading() {
    let microseconds = MonotonicClock.now / .microseconds(1)
    send("RELOADING=1\nMONOTONIC_USEC=\(Int64(microseconds))")
  }

  /// The program gets on with its work.
  package func watchdog() { send("WATCHDOG=1") }

  /// Within which time `watchdog` is wanted again and again; nil where nobody wants it of this
  /// process.
  package static func watchdogTime(
    microseconds: String? = Environment.get("WATCHDOG_USEC"),
    process: String? = Environment.get("WATCHDOG_PID")
  ) -> Duration? {
    guard let microseconds = microseconds.flatMap({ Int64($0) }), microseconds > 0,
      process == nil || process == "\(getpid())"
    else { return nil }
    return .microseconds(microseconds)
  }

  /// The program is ending.
  package func stopping() { send("STOPPING=1") }

  private func send(_ message: String) {
    guard let address, let first = address.first else { return }
    var target = sockaddr_un()
    target.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: target.sun_path)
    let isAbstract = first == UInt8(ascii: "@")
    guard isAbstract || first == UInt8(ascii: "/"), address.count < capacity else { return }
    // SAFETY: `address` was checked to fit, and the pointer stays inside the closure.
    withUnsafeMutableBytes(of: &target.sun_path) { path in
      path.copyBytes(from: address)
      if isAbstract { path[0] = 0 }
    }
    let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { return }
    let endpoint = OwnedDescriptor(raw)
    // An abstract name ends with its last byte, a path with its NUL.
    let length = MemoryLayout<sa_family_t>.size + address.count + (isAbstract ? 0 : 1)
    let bytes = Array(message.utf8)
    // SAFETY: the pointer stays inside the closure, and `length` within the structure.
    withUnsafePointer(to: &target) { pointer in
      // With _GNU_SOURCE, C takes a union of pointers to each kind of address.
      let destination = __CONST_SOCKADDR_ARG(__sockaddr_un__: pointer)
      let flags = Int32(MSG_NOSIGNAL)
      _ = sendto(endpoint.raw, bytes, bytes.count, flags, destination, socklen_t(length))
    }
  }
}
