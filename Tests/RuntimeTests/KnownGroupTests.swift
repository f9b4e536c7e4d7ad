import Protocol
import Runtime
import Testing
import Transport

struct KnownGroupTests {
  private let hub = fingerprint(1)
  private let master = fingerprint(2)
  private let address: HubAddress

  init() throws { address = try HubAddress(host: "192.0.2.1", port: 7420, secure: true) }

  @Test func `what is known of a group survives its file`() {
    for hub in [hub, nil] {
      for master in [master, nil] {
        var group = KnownGroup(address: address, hub: hub, master: master)
        #expect(KnownGroup(text: group.text) == group)
        group.also = ["192.0.2.2", "2001:db8::2"]
        group.route = "2001:db8::2"
        #expect(KnownGroup(text: group.text) == group)
      }
    }
    #expect(
      KnownGroup(address: address, hub: hub, master: master).text == """
        hub \(address)
        pin \(hub)
        master \(master)

        """)
  }

  /// A pin that is damaged must not pass for none: whoever is there would be trusted.
  @Test(arguments: [
    "", "\n", "pin \(fingerprint(1))", "hub", "hub ", "hub a b", "hub not:an:address",
    "hub 192.0.2.1:7420\npin", "hub 192.0.2.1:7420\npin ", "hub 192.0.2.1:7420\npin AAAA",
    "hub 192.0.2.1:7420\npin \(fingerprint(1))x", "hub 192.0.2.1:7420\nhub 192.0.2.2:7420",
    "hub 192.0.2.1:7420\npin \(fingerprint(1))\npin \(fingerprint(2))",
    "hub 192.0.2.1:7420\nmaster ???", "hub 192.0.2.1:7420\nPIN \(fingerprint(1))",
    "hub 192.0.2.1:7420\nmore of it", "hub 192.0.2.1:7420\r\npin \(fingerprint(1))\r\n",
    " hub 192.0.2.1:7420", "\u{0}", String(repeating: "hub x\n", count: 500),
  ])
  func `a garbled file is no group`(text: String) {
    #expect(KnownGroup(text: text) == nil)
  }

  @Test func `an address keeps the keys that are remembered`() throws {
    let kept = KnownGroup(address: address, hub: hub, master: master)
    let moved = try HubAddress(host: "192.0.2.2", port: 1, secure: true)
    #expect(
      try KnownGroup.joining(moved, nil, kept: kept, file: "f")
        == KnownGroup(address: moved, hub: hub, master: master))
    #expect(try KnownGroup.joining(nil, nil, kept: kept, file: "f") == kept)
    #expect(
      try KnownGroup.joining(moved, nil, kept: nil, file: "f")
        == KnownGroup(address: moved, hub: nil, master: nil))
  }

  @Test func `without address, invite and memory there is no group`() {
    let ending = #expect(throws: Ending.self) {
      try KnownGroup.joining(nil, nil, kept: nil, file: "f")
    }
    #expect(ending?.code == .usage)
  }

  @Test func `an invite says address and keys, and may fill what is not known`() throws {
    let invite = try #require(Invite(host: "hub", port: 9, hub: hub, master: master))
    let joined = KnownGroup(
      address: try HubAddress(host: "hub", port: 9, secure: true), hub: hub, master: master)
    for kept in [
      nil, KnownGroup(address: address, hub: nil, master: nil),
      KnownGroup(address: address, hub: hub, master: nil),
      KnownGroup(address: address, hub: hub, master: master),
    ] {
      #expect(try KnownGroup.joining(nil, invite, kept: kept, file: "f") == joined)
    }
  }

  @Test(arguments: ["hub", "master"]) func `an invite to another group is refused`(what: String)
    throws
  {
    let invite = try #require(Invite(host: "hub", port: 9, hub: hub, master: master))
    let kept = KnownGroup(
      address: address, hub: what == "hub" ? fingerprint(3) : hub,
      master: what == "master" ? fingerprint(3) : master)
    let ending = #expect(throws: Ending.self) {
      try KnownGroup.joining(nil, invite, kept: kept, file: "/state/group")
    }
    #expect(ending?.code == .untrusted)
    let text = try #require(ending?.text)
    #expect(text.contains("belongs to another group") && text.contains("--state"))
    #expect(text.contains("\(fingerprint(3))") && text.contains("/state/group"))
  }
}

/// A fingerprint of 32 equal bytes.
func fingerprint(_ byte: UInt8) -> Fingerprint {
  guard let made = Fingerprint([UInt8](repeating: byte, count: Fingerprint.length)) else {
    preconditionFailure("32 bytes are a fingerprint")
  }
  return made
}
