import Protocol
import Testing

/// Pins and invites as texts: what people and files pass on.
struct InviteTests {
  private static let pin = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
  private static let master = "__________________________________________8"
  private static let good = "fsharefs://hub.example.org:7420/\(pin)/\(master)"

  @Test func `a fingerprint is base64url, and comes back from it`() throws {
    let counting = try #require(Fingerprint(Array(0..<32)))
    #expect("\(counting)" == Self.pin)
    #expect(Fingerprint(text: Self.pin) == counting)
    #expect(Fingerprint(text: Self.master)?.bytes == [UInt8](repeating: 255, count: 32))
    var random = TestGenerator(seed: 1)
    for _ in 0..<1_000 {
      let one = try #require(Fingerprint(random.bytes(Fingerprint.length)))
      #expect(Fingerprint(text: "\(one)") == one)
    }
  }

  @Test(arguments: [
    "", "AAEC", pin + "A", pin + "=", "\(pin.dropLast())9", "\(pin.dropLast())+", "ü" + pin,
    " " + pin, String(repeating: "A", count: 10_000),
  ])
  func `what is no fingerprint is none`(text: String) {
    #expect(Fingerprint(text: text) == nil)
  }

  @Test func `a fingerprint has 32 bytes`() {
    for count in [0, 31, 33] { #expect(Fingerprint([UInt8](repeating: 1, count: count)) == nil) }
  }

  @Test(arguments: ["hub.example.org", "192.0.2.7", "2001:db8::7", "fe80::1%eth0", "my_hub"])
  func `an invite survives its link`(host: String) throws {
    let pin = try #require(Fingerprint(text: Self.pin))
    let master = try #require(Fingerprint(text: Self.master))
    let invite = try #require(Invite(host: host, port: 65_535, hub: pin, master: master))
    #expect(Invite(link: "\(invite)") == invite)
    let more = try #require(
      Invite(host: host, port: 1, hub: pin, master: master, also: ["192.0.2.8", "2001:db8::8"]))
    #expect("\(more)".hasSuffix("/192.0.2.8,2001:db8::8"))
    #expect(Invite(link: "\(more)") == more && Invite(link: "\(more),a/b") == nil)
    let most = [String](repeating: "192.0.2.8", count: Invite.alsoLimit)
    #expect(Invite(host: host, port: 1, hub: pin, master: master, also: most) != nil)
    #expect(Invite(host: host, port: 1, hub: pin, master: master, also: most + ["x"]) == nil)
    #expect(Invite(link: "\(invite)/\((most + ["x"]).joined(separator: ","))") == nil)
  }

  @Test func `a link names hub, pin and master`() throws {
    let invite = try #require(Invite(link: Self.good))
    #expect(invite.host == "hub.example.org" && invite.port == 7420)
    #expect("\(invite.hub)" == Self.pin && "\(invite.master)" == Self.master)
    #expect("\(invite)" == Self.good)
  }

  @Test(arguments: [
    "", "fsharefs://", "http://hub:7420/\(pin)/\(master)", "fsharefs://hub/\(pin)/\(master)",
    "fsharefs://hub:0/\(pin)/\(master)", "fsharefs://hub:65536/\(pin)/\(master)",
    "fsharefs://hub:07420/\(pin)/\(master)", "fsharefs://hub:+1/\(pin)/\(master)",
    "fsharefs://:7420/\(pin)/\(master)", "fsharefs://hub:7420/\(pin)", good + "/", good + "x",
    good + "/,192.0.2.8", good + "/192.0.2.8,", good + "/a b", good + "/192.0.2.8/x",
    "fsharefs://hub:7420//\(master)", "fsharefs://::1:7420/\(pin)/\(master)",
    "fsharefs://a b:7420/\(pin)/\(master)", "fsharefs://a\u{1B}[2J:7420/\(pin)/\(master)",
    "fsharefs://me@hub:7420/\(pin)/\(master)", "fsharefs://[::1:7420/\(pin)/\(master)",
    " " + good, good + "\n", "fsharefs://" + String(repeating: "h", count: 5_000),
  ])
  func `what is not a whole link is none`(link: String) {
    #expect(Invite(link: link) == nil)
  }

  @Test func `a link that lost or changed a character is none, or another`() {
    let characters = Array(Self.good)
    for index in characters.indices {
      var shorter = characters
      shorter.remove(at: index)
      #expect(Invite(link: String(shorter)) != Invite(link: Self.good))
      var changed = characters
      changed[index] = changed[index] == "Z" ? "Y" : "Z"
      #expect(Invite(link: String(changed)) != Invite(link: Self.good))
    }
  }
}
