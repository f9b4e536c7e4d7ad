import Control
import Glibc
import System

/// Network namespaces of a test's own: that of a hub, which is the router, and one for each member,
/// in a network of its own (10.77.N.2 and fd77:N::2 behind 10.77.N.1 and fd77:N::1).
final class RoutedNetworks {
  private let fixture: Fixture
  private let prefix = "fsh" + String(SecureRandom.uint64() & 0xff_ffff, radix: 16)

  init(_ fixture: Fixture, members: Int) throws {
    self.fixture = fixture
    let names = ["h"] + (1...members).map { "\($0)" }
    let prefix = prefix
    fixture.atEnd {
      for name in names {
        let command = try? RunningProcess(
          ["ip", "netns", "del", prefix + name], output: "/dev/null", errors: "/dev/null")
        _ = try? command?.wait()
      }
    }
    for name in names {
      try fixture.shell("ip netns add \"$1\" && ip -n \"$1\" link set lo up", prefix + name)
        .succeeded()
    }
    try inside("h", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    try inside("h", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    for number in 1...members {
      try fixture.shell(
        """
        set -e; h="$1h"; m="$1$2"; n="$2"
        ip link add "v$n" netns "$h" type veth peer name eth0 netns "$m"
        ip -n "$h" addr add "10.77.$n.1/24" dev "v$n"
        ip -n "$h" addr add "fd77:$n::1/64" dev "v$n" nodad
        ip -n "$h" link set "v$n" up
        ip -n "$m" addr add "10.77.$n.2/24" dev eth0
        ip -n "$m" addr add "fd77:$n::2/64" dev eth0 nodad
        ip -n "$m" link set eth0 up
        ip -n "$m" route add default via "10.77.$n.1"
        ip -n "$m" route add default via "fd77:$n::1"
        """, prefix, "\(number)"
      ).succeeded()
    }
  }

  /// Words that run something in the network of a member; 0: of the hub.
  func through(_ member: Int) -> [String] {
    ["nsenter", "--net=/run/netns/\(prefix)\(member == 0 ? "h" : "\(member)")"]
  }

  /// `ip` in the network of a member.
  func ip(_ member: Int, _ words: String) throws {
    try fixture.shell("ip -n \"$1\" \(words)", "\(prefix)\(member)").succeeded()
  }

  private func inside(_ name: String, _ script: String) throws {
    try fixture.shell("nsenter --net=\"/run/netns/$1\" sh -c '\(script)'", prefix + name)
      .succeeded()
  }

  /// Host, and members in networks of their own, all live. `options`: of each member.
  func group(_ options: [[String]]) throws -> (host: Daemon, members: [Daemon]) {
    let host = try Daemon("host", fixture)
    try host.start(["--host", "--listen", "[::]:7420"], through: through(0))
    try host.waits(for: .live)
    let members = try options.enumerated().map { index, words in
      let daemon = try Daemon("member\(index + 1)", fixture)
      try daemon.start(
        ["--nowait"] + words + ["10.77.\(index + 1).1:7420"], through: through(index + 1))
      try daemon.waits(for: .waiting)
      let id = try daemon.publicID()
      try eventually("the host has heard of \(daemon.name)") {
        try host.members().contains { $0.publicID == id }
      }
      try fixture.control(host, "approve", "\(id)", "--yes").succeeded()
      try daemon.waits(for: .live)
      return daemon
    }
    return (host, members)
  }
}
