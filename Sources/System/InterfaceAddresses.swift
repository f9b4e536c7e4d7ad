import CLinux
import Glibc

/// The addresses of this machine's network interfaces.
package enum InterfaceAddresses {
  /// Those by which other machines may reach this one, numeric: of interfaces that are up, without
  /// loopback and link-local ones; IPv4 first, each in the system's order, but those of bridges to
  /// containers and virtual machines of this machine last. Empty where there is none.
  package static func reachable() throws(SystemError) -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    try retryingOnInterrupt("list the network interfaces") { getifaddrs(&list) }
    defer { freeifaddrs(list) }
    var v4: [String] = []
    var v6: [String] = []
    var inside: [String] = []
    // SAFETY: a list of the system, copied before it is freed; ai_addr is of the kind that its
    // family says.
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard entry.ifa_flags & UInt32(IFF_UP) != 0, let address = entry.ifa_addr else {
        continue
      }
      let isInside = Self.insideNames.contains { String(cString: entry.ifa_name).hasPrefix($0) }
      switch Int32(address.pointee.sa_family) {
      case AF_INET:
        let text = numeric(address, MemoryLayout<sockaddr_in>.size)
        guard let text, !Loopback.contains(text), !text.hasPrefix("169.254.") else { continue }
        if isInside { inside.append(text) } else { v4.append(text) }
      case AF_INET6:
        let text = numeric(address, MemoryLayout<sockaddr_in6>.size)
        // A link-local address means nothing without an interface of the other machine.
        guard let text, !Loopback.contains(text), !text.contains("%"), !text.hasPrefix("fe80:")
        else { continue }
        if isInside { inside.append(text) } else { v6.append(text) }
      default: continue
      }
    }
    return v4 + v6 + inside
  }

  /// What bridges to what runs inside this machine are called.
  private static let insideNames = ["docker", "br-", "virbr", "veth", "lxc", "podman", "cni"]

  private static func numeric(_ address: UnsafeMutablePointer<sockaddr>, _ size: Int) -> String? {
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    // SAFETY: `address` has `size` bytes, as its family says.
    let code = getnameinfo(
      address, socklen_t(size), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
    guard code == 0 else { return nil }
    return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
