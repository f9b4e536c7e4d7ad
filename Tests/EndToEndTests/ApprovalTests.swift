import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct Approval {
    /// S33, S34: before approval, and after disapproval, a member sees nothing of the others and
    /// they nothing of it.
    @Test func onlyTheApprovedSeeAndAreSeen() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("secret"), "s")
        let guest = try fixture.waitingMember("guest", of: hub)
        #expect(Files.errorOf { _ = try Files.list(guest.mount) } == EHOSTDOWN)
        #expect(try guest.members().allSatisfy { $0.isSelf || ($0.isMaster && $0.entries == 0) })
        #expect(try guest.status().entries == 0)
        let id = "\(try guest.publicID())"

        try fixture.control(host, "approve", id).succeeded()
        try guest.waits(for: .live)
        try fixture.waitFor(guest.path("secret"), "s")
        try Files.write(guest.path("guest's"), "g")
        try fixture.waitFor(host.path("guest's"), "g")

        try fixture.control(host, "disapprove", id).succeeded()
        try guest.waits(for: .disapproved)
        try fixture.waitForAbsence(host.path("guest's"))
        try fixture.waitForAbsence(guest.path("secret"))
        try Files.write(host.path("secret 2"), "s")
        #expect(!Files.exists(guest.path("secret 2")))
        // Its own files are where they were.
        #expect(try Files.text(guest.own + "/guest's") == "g")

        try fixture.control(host, "approve", id).succeeded()
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("guest's"), "g")
        try fixture.waitFor(guest.path("secret 2"), "s")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S33: an approval outlives the member's, the hub's and the master's restart.
    @Test func anApprovalIsKept() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let id = try guest.publicID()
        #expect(try host.leave() == .exit(0))
        #expect(try guest.leave() == .exit(0))
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        #expect(try guest.publicID() == id)
      }
    }

    /// Only the master decides, and only about whom it knows.
    @Test func onlyTheMasterDecides() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for (daemon, word) in [(guest, "guest"), (host, "nobody"), (host, "99")] {
          let refused = try fixture.control(daemon, "approve", word)
          #expect(refused.ending == .exit(1))
          #expect(refused.errorLines.count == 1)
        }
      }
    }

    /// S41: a new name is seen by everybody.
    @Test func aNewNameIsSeenByAll() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let id = try guest.publicID()
        for (name, daemon) in [("kitchen table", guest), ("the host", host)] {
          try fixture.control(daemon, "name", name).succeeded()
          let number = daemon === guest ? id : 0
          for other in [host, guest] {
            try eventually("\(other.name) sees the name \(name)") {
              try other.members().first { $0.publicID == number }?.name == name
            }
          }
        }
        let long = String(repeating: "n", count: 65)
        #expect(try fixture.control(guest, "name", long).ending != .exit(0))
        // It is kept, unless another is given.
        #expect(try guest.members().first { $0.isSelf }?.name == "kitchen table")
      }
    }
  }
}
