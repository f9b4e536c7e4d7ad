import Control
import Protocol
import System

/// Whether a hub can be reached, by which of its addresses, and whether others can reach one here.
enum HubProbe {
  typealias Finding = DoctorReport.Finding

  private static let usualPort = ListenAddress.defaultPort

  /// The hub of a member. `isConnected`: the member itself has it now.
  static func reach(_ hub: String, isConnected: Bool) -> [Finding] {
    guard let address = try? HubAddress(parsing: hub) else {
      return [Finding("hub", .bad, "'\(hub)' is no address", "fsharefs HUB MOUNTPOINT")]
    }
    let (host, port) = (address.host, address.port)
    guard let addresses = TCPProbe.addresses(of: host, port) else {
      return [
        Finding(
          "hub", isConnected ? .caution : .bad, "the name \(host) leads to no address",
          "look at the name, /etc/resolv.conf and /etc/hosts; else start fsharefs with its address")
      ]
    }
    let answers = TCPProbe.connect(addresses)
    let good = answers.filter { $0.fault == nil }.map(\.name)
    let bad = answers.filter { $0.fault != nil }
    if !good.isEmpty, bad.isEmpty || isConnected {
      return [
        Finding("hub", .well, "\(hub) can be reached, as \(good.joined(separator: ", "))")
      ]
    }
    if !good.isEmpty {
      let others = bad.map { "\($0.name) (\($0.fault ?? ""))" }.joined(separator: ", ")
      return [
        Finding(
          "hub", .caution,
          "\(hub) can be reached as \(good.joined(separator: ", ")), not as \(others)",
          "have the name lead only to where the hub listens, or open the port there")
      ]
    }
    let all = bad.map { "\($0.name): \($0.fault ?? "")" }.joined(separator: ", ")
    return [
      Finding(
        "hub", isConnected ? .caution : .bad, "\(hub) cannot be reached: \(all)",
        "start the hub there, and open TCP port \(port) in firewalls on the way")
    ]
  }

  /// A hub of this machine: `place` is an address by which it is here, or where it listens.
  static func listening(_ place: String) -> [Finding] {
    guard let port = try? ListenAddress(parsing: place).port else { return [] }
    let own = ((try? InterfaceAddresses.reachable()) ?? []).compactMap {
      TCPProbe.numeric($0, port)
    }
    let here = ["127.0.0.1", "::1"].compactMap { TCPProbe.numeric($0, port) }
    guard TCPProbe.connect(here + own).contains(where: { $0.fault == nil }) else {
      return [
        Finding(
          "port", .bad, "the hub's port \(port) does not answer on this machine",
          "look into its log, and whether a firewall closes loopback")
      ]
    }
    let open = TCPProbe.connect(own).filter { $0.fault == nil }.map(\.name)
    if open.isEmpty {
      return [
        Finding(
          "port", .caution, "the hub's port \(port) answers on this machine only",
          "for other machines: start with --listen :\(port)")
      ]
    }
    return [
      Finding(
        "port", .well,
        "the hub answers as \(open.joined(separator: ", ")); other machines need TCP port \(port) "
          + "open in this one's firewall")
    ]
  }

  /// Whether the usual port is there for a hub.
  static func freePort() -> [Finding] {
    let here = ["127.0.0.1", "::1"].compactMap { TCPProbe.numeric($0, usualPort) }
    guard TCPProbe.connect(here).contains(where: { $0.fault == nil }) else {
      return [Finding("port", .well, "TCP port \(usualPort) is free for a hub")]
    }
    return [
      Finding(
        "port", .caution, "something listens on TCP port \(usualPort) already",
        "if that is no hub of yours: fsharefs --host --listen :OTHER MOUNTPOINT")
    ]
  }
}
