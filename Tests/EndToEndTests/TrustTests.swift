import Control
import Glibc
import Hostile
import System
import Testing

extension Adversity {
  /// A hub and a master are known by their keys, and a member by its words.
  @Suite struct Trust {
    /// The link that a member prints, where the hub is at loopback.
    private func invite(_ fixture: Fixture, _ daemon: Daemon) throws -> String {
      let link = try fixture.control(daemon, "invite", "--address", "127.0.0.1").succeeded().text
      return link.filter { $0 != "\n" }
    }

    private func approve(_ fixture: Fixture, _ guest: Daemon, by master: Daemon) throws {
      try guest.waits(for: .waiting)
      let id = try guest.publicID()
      try eventually("it is heard of") {
        try master.members().contains { $0.publicID == id }
      }
      try fixture.control(master, "approve", "\(id)", "--yes").succeeded()
      try guest.waits(for: .live)
    }

    @Test func anInviteIsEnoughToJoinAndIsNeededOnce() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let link = try invite(fixture, host)
        #expect(link.hasPrefix("fsharefs://127.0.0.1:"))
        let guest = try Daemon("guest", fixture)
        try guest.start(["--nowait", link])
        try approve(fixture, guest, by: host)
        // Nothing was left to be believed at first contact.
        #expect(try !Files.text(guest.log).contains("first contact"))
        try Files.write(guest.path("file"), "through")
        try fixture.waitFor(host.path("file"), "through")
        #expect(try guest.leave() == .exit(0))
        try guest.start([])
        try guest.waits(for: .live)
        #expect(try Files.text(guest.path("file")) == "through")
        // A member that was invited can invite.
        #expect(try invite(fixture, guest) == link)
      }
    }

    @Test func theFirstContactIsShownAndRemembered() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let pins = try invite(fixture, host).split(separator: "/").suffix(2)
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let log = try Files.text(guest.log)
        for pin in pins { #expect(log.contains("key is \(pin)")) }
        let kept = try Files.text(guest.state + "/group")
        for pin in pins { #expect(kept.contains(pin)) }
        #expect(kept.contains("generation 1"))
      }
    }

    /// Another TLS key at the same address is a hard stop, at the start and in the middle of life.
    @Test func aHubWithAnotherKeyIsNotSpokenTo() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        let other = try fixture.member("other", of: hub.address, approvedBy: master)
        try Files.write(master.path("file"), "content")
        try fixture.waitFor(guest.path("file"), "content")
        #expect(try other.leave() == .exit(0))
        try hub.crash()
        try Files.unlink(hub.state + "/tls-key.pem")
        try hub.restart()
        #expect(try guest.process.wait() == .exit(78))
        let log = try Files.text(guest.log)
        #expect(log.contains("not the one that was remembered") && log.contains("/^pin /d"))
        try other.start([])
        #expect(try other.process.wait() == .exit(78))
      }
    }

    /// A hub that names another master than the invite did gets no further.
    @Test func anotherMasterThanTheInvitesIsNotObeyed() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let (stranger, _) = try fixture.host(name: "stranger")
        let parts = try invite(fixture, host).split(separator: "/")
        let strangers = try invite(fixture, stranger).split(separator: "/")
        // This hub, but the other one's master.
        let link = "fsharefs://\(parts[1])/\(parts[2])/\(strangers[3])"
        let guest = try Daemon("guest", fixture)
        try guest.start(["--nowait", link])
        #expect(try guest.process.wait() == .exit(78))
        #expect(try Files.text(guest.log).contains("the master's key is not the one"))
      }
    }

    @Test func theBulkPlaneMayRunUnderTLSToo() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let recording = Recording()
        let wire = try Wire(fixture, to: hub) { recording }
        let guest = try fixture.member(
          "guest", of: wire.address, approvedBy: host, ["--bulk-tls"])
        let bytes = Samples.bytes(3_000_000)
        try Files.write(host.path("down"), bytes)
        try Files.write(guest.path("up"), bytes)
        try fixture.waitFor(guest.path("down"))
        try fixture.waitFor(host.path("up"))
        #expect(try Files.read(guest.path("down")) == bytes)
        #expect(try Files.read(host.path("up")) == bytes)
        #expect(recording.content.count > 2 * bytes.count)
        #expect(!recording.content.contains("/bulk/".utf8))
      }
    }

    /// What a listener has seen of a ticket opens nothing.
    @Test func aTicketOpensOneStreamOnce() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let recording = Recording()
        let wire = try Wire(fixture, to: hub) { recording }
        let guest = try fixture.member("guest", of: wire.address, approvedBy: host)
        try Files.write(host.path("file"), "content")
        try fixture.waitFor(guest.path("file"), "content")
        let seen = recording.content
        for start in ["GET /bulk/down", "POST /bulk/up"] {
          let begin = try #require(seen.firstRange(of: Array(start.utf8))).lowerBound
          let end = try #require(seen[begin...].firstRange(of: Array("\r\n\r\n".utf8))).upperBound
          let thief = try Socket.connected(to: hub)
          try thief.send(Array(seen[begin..<end]))
          #expect(try thief.receiveHead().hasPrefix("HTTP/1.1 403"))
        }
        #expect(try Files.text(guest.path("file")) == "content")
      }
    }
  }
}
