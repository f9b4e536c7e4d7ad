import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// `fsharectl` without `--state`: which mount is meant.
  @Suite struct Finding {
    private func control(_ fixture: Fixture, in folder: String, _ words: String...) throws
      -> Command
    {
      try fixture.run(
        ["env", "-C", folder, Programs.control] + words,
        environment: ["XDG_STATE_HOME": fixture.folder + "/nothing"])
    }

    private func name(_ command: Command) throws -> String {
      let report = try JSONValue.parsed(try command.succeeded().output)
      return try report.decode(as: StatusReport.self).name
    }

    @Test func theOnlyOneTheCurrentDirectoryOrAPathSayWhich() throws {
      try withFixture { fixture in
        let none = try control(fixture, in: "/", "status")
        #expect(none.ending == .exit(69) && none.errorLines.count == 1 && none.output.isEmpty)
        let (host, hub) = try fixture.host()
        #expect(try name(control(fixture, in: "/", "status", "--json")) == "host")
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(guest.path("docs"))
        try Files.write(guest.path("docs/a"), "a")

        let several = try control(fixture, in: "/", "status")
        #expect(several.ending == .exit(64) && several.output.isEmpty)
        for daemon in [host, guest] {
          #expect(
            several.errorLines.contains {
              $0.contains(daemon.mount) && $0.contains(daemon.state)
            })
        }
        for (folder, expected) in [
          (guest.mount, "guest"), (guest.path("docs"), "guest"), (host.mount, "host"),
        ] {
          #expect(try name(control(fixture, in: folder, "status", "--json")) == expected)
        }
        for path in [guest.mount, guest.path("docs/a"), guest.path("not/there")] {
          #expect(
            try name(control(fixture, in: "/", "status", "--json", "--mount", path)) == "guest")
        }
        let why = try control(fixture, in: host.mount, "why", guest.path("docs/a"))
        #expect(try why.succeeded().text.contains("your own"))
        // By a link, and from a folder above.
        let link = fixture.newPath("link")
        #expect(symlink(guest.path("docs"), link) == 0)
        #expect(
          try control(fixture, in: "/", "why", link + "/a").succeeded().text.contains("your own"))
        let above = "\(File.folder(of: guest.mount))/./x/../mount-guest-"
        let relative = above + guest.mount.split(separator: "-").last!
        #expect(
          try name(control(fixture, in: "/", "status", "--json", "--mount", relative)) == "guest")

        // Only the master decides, so it is meant.
        let third = try fixture.waitingMember("third", of: hub)
        try eventually("the host has heard of it") {
          try host.members().contains { $0.name == "third" }
        }
        try control(fixture, in: "/", "approve", "third", "--yes").succeeded()
        try third.waits(for: .live)
        let elsewhere = try control(fixture, in: "/", "status", "--mount", fixture.folder)
        #expect(elsewhere.ending == .exit(69) && elsewhere.errorLines.count == 1)
        let both = try control(fixture, in: "/", "status", "--mount", "/", "--state", "/")
        #expect(both.ending == .exit(64))
      }
    }

    @Test func whatIsBoundToAnotherPlaceIsFoundThereToo() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        _ = try fixture.member("guest", of: hub, approvedBy: host)
        let place = try fixture.newFolder("bound")
        try fixture.run("mount", "--bind", host.mount, place).succeeded()
        fixture.atEnd { MountPoint.detach(place) }
        #expect(try name(control(fixture, in: place, "status", "--json")) == "host")
      }
    }

    @Test func aKilledOneHoldsNobodyUp() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        guest.process.kill(SIGKILL)
        _ = try guest.process.wait()
        try eventually("its mount is dead") { access(guest.mount, F_OK) != 0 && errno == ENOTCONN }

        let dead = try control(fixture, in: "/", "status", "--mount", guest.mount + "/any")
        #expect(dead.ending == .exit(69))
        #expect(dead.errors.contains("fusermount3 -u -z \(guest.mount)"))
        // Its record is there, and does not count.
        #expect(try name(control(fixture, in: "/", "status", "--json")) == "host")
        let doctor = try control(fixture, in: "/", "doctor")
        #expect(doctor.ending == .exit(1))
        #expect(doctor.text.contains("\(guest.mount) is dead"))
        #expect(doctor.text.contains("fusermount3 -u -z \(guest.mount)"))
        let one = try control(fixture, in: "/", "doctor", "--mount", guest.mount)
        #expect(one.ending == .exit(1) && one.text.contains("is dead"))

        // Its next start is found again.
        MountPoint.detach(guest.mount)
        try guest.start(["--nowait"])
        try guest.waits(for: .live)
        #expect(
          try name(control(fixture, in: "/", "status", "--json", "--mount", guest.mount)) == "guest"
        )
      }
    }

    @Test func whatHasEndedOrLeavesNoMountBehindIsForgotten() throws {
      try withFixture { fixture in
        let running = fixture.folder + "/running"
        let (first, _) = try fixture.host(name: "first")
        #expect(try Files.names(in: running).count == 1)
        #expect(try first.leave() == .exit(0))
        #expect(try Files.names(in: running).isEmpty)
        let (second, _) = try fixture.host(name: "second")
        try second.crash()
        #expect(try Files.names(in: running).count == 1)
        _ = try fixture.host(name: "third")
        #expect(try Files.names(in: running).count == 1)
        // What is no record says nothing.
        try Files.write(running + "/a.running", "{\"role\":")
        #expect(mkfifo(running + "/b.running", 0o600) == 0)
        #expect(try name(control(fixture, in: "/", "status", "--json")) == "third")
      }
    }

    @Test func aHubAloneIsFoundWhereNothingIsMounted() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let fresh = try control(fixture, in: "/", "status").succeeded().text
        #expect(fresh.contains("listens on:    \(hub.address)"))
        #expect(fresh.contains("none yet (fshare-hub claim-code)"))
        for command in ["members", "leave"] {
          let refused = try control(fixture, in: "/", command)
          #expect(refused.ending == .exit(1) && refused.errorLines.count == 1)
        }
        _ = try fixture.master(hub)
        #expect(try name(control(fixture, in: "/", "status", "--json")) == "master")
        let claimed = try control(fixture, in: "/", "status", "--state", hub.state).succeeded().text
        #expect(claimed.contains("has one"))
      }
    }
  }
}
