import Control
import Protocol
import Runtime
import Testing
import Transport

struct InvitingTests {
  private let reachable = ["192.0.2.7", "2001:db8::7"]

  private func report(
    hub: String, listens: String? = nil, at address: String? = nil, _ reachable: [String]
  ) throws -> (Invite, [String]) {
    let report = try Inviting.report(
      hub: HubAddress(parsing: hub), listens: listens, hubKey: fingerprint(1),
      masterKey: fingerprint(2),
      at: address, reachable: reachable)
    let invite = try #require(Invite(link: report.link))
    #expect(invite.hub == fingerprint(1) && invite.master == fingerprint(2))
    return (invite, report.addresses)
  }

  @Test func `others find the hub where this member does`() throws {
    let (invite, addresses) = try report(hub: "hub.example.org:99", reachable)
    #expect(invite.host == "hub.example.org" && invite.port == 99)
    #expect(addresses == ["hub.example.org"])
  }

  @Test(arguments: ["127.0.0.1:99", "[::1]:99", "localhost:99"])
  func `a hub at this machine's loopback is found at an address that others can reach`(hub: String)
    throws
  {
    let (invite, addresses) = try report(hub: hub, reachable)
    #expect(invite.host == "192.0.2.7" && invite.port == 99)
    #expect(addresses == reachable)
  }

  @Test(
    arguments: [
      ("127.0.0.1", ["127.0.0.1"]), ("192.0.2.8", ["192.0.2.8"]), ("0.0.0.0", ["192.0.2.7"]),
      ("::", ["192.0.2.7", "2001:db8::7"]), ("", ["192.0.2.7", "2001:db8::7"]),
    ])
  func `a hub of this process is not said to be where it does not listen`(
    listens: String, hosts: [String]
  ) throws {
    let (invite, addresses) = try report(hub: "127.0.0.1:99", listens: listens, reachable)
    #expect(invite.host == hosts[0] && addresses == hosts)
    #expect(invite.also == Array(hosts.dropFirst()))
  }

  @Test(
    arguments: [
      ("vpn.example.org", "vpn.example.org", 99), ("vpn.example.org:5", "vpn.example.org", 5),
      ("192.0.2.9", "192.0.2.9", 99), ("[2001:db8::7]", "2001:db8::7", 99),
      ("[2001:db8::7]:8", "2001:db8::7", 8),
    ] as [(String, String, UInt16)])
  func `an address that is given comes first`(given: String, host: String, port: UInt16) throws {
    let (invite, addresses) = try report(hub: "127.0.0.1:99", at: given, reachable)
    #expect(invite.host == host && invite.port == port)
    #expect(addresses == [host] + reachable.filter { $0 != host })
  }

  @Test(arguments: ["", ":5", "ws://x", "a b", "2001:db8::7", "x:0", "x:70000", "x/y", "\u{1B}[2J"])
  func `what is no address is refused`(given: String) {
    #expect(throws: Ending.self) { try report(hub: "127.0.0.1:99", at: given, reachable) }
  }

  @Test func `an invite has the hub's other addresses too, but not for another port`() throws {
    let (invite, _) = try report(hub: "127.0.0.1:99", reachable)
    #expect(invite.also == ["2001:db8::7"])
    let (named, _) = try report(
      hub: "127.0.0.1:99", listens: "", at: "vpn.example.org", reachable)
    #expect(named.also == reachable)
    // Of a hub beside this process it is only guessed.
    let (guessed, _) = try report(hub: "127.0.0.1:99", at: "vpn.example.org", reachable)
    #expect(guessed.also.isEmpty)
    let (forwarded, _) = try report(
      hub: "127.0.0.1:99", listens: "", at: "vpn.example.org:5", reachable)
    #expect(forwarded.also.isEmpty)
    // Of a member that itself was invited so.
    let report = try Inviting.report(
      hub: HubAddress(parsing: "hub:99"), hubKey: fingerprint(1), masterKey: fingerprint(2),
      at: nil, reachable: reachable, also: ["192.0.2.1", "no-number"])
    #expect(try #require(Invite(link: report.link)).also == ["192.0.2.1"])
  }

  @Test func `a machine that nobody reaches says what to do`() {
    let ending = #expect(throws: Ending.self) { try report(hub: "127.0.0.1:99", []) }
    #expect(ending?.text.contains("--address") == true)
  }
}
