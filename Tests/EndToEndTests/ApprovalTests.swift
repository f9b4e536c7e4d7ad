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

        try fixture.control(host, "approve", id, "--yes").succeeded()
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

        try fixture.control(host, "approve", id, "--yes").succeeded()
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

    /// A person sees who it is and is asked; where nobody can be, it must be said. A name that two
    /// have is nobody's.
    @Test func whoIsLetInIsAskedFirst() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let twins = try (0..<2).map { _ in try fixture.waitingMember("twin", of: hub) }
        let numbers = try twins.map { try $0.publicID() }
        try eventually("the host knows both") {
          try host.members().filter { $0.name == "twin" }.count == 2
        }
        let words = try twins[0].status().words
        for way in [["--yes"], ["--words", words]] {
          let refused = try fixture.run(
            [Programs.control, "approve", "twin", "--state", host.state] + way)
          #expect(refused.ending == .exit(1))
          for number in numbers { #expect(refused.errors.contains("\(number)")) }
        }
        let unasked = try fixture.control(host, "approve", "\(numbers[0])")
        #expect(unasked.ending == .exit(64) && unasked.errorLines.count == 1)

        func answered(_ answer: String) throws -> (ending: Ending, shown: String) {
          let terminal = try Terminal()
          let output = fixture.newPath("out")
          let process = try RunningProcess(
            [
              "sh", "-c", "exec \"$1\" approve \"$2\" --state \"$3\" < \"$4\"", "sh",
              Programs.control, "\(numbers[0])", host.state, terminal.path,
            ], output: output, errors: output)
          _ = fixture.watch(process)
          try eventually("it asks") { try Files.text(output).contains("Let it in?") }
          try terminal.type(answer)
          return (try process.wait(), try Files.text(output))
        }
        let no = try answered("no")
        #expect(no.ending == .exit(1))
        for detail in ["name: twin", "system: Linux", "address: 127.0.0.1", "words: \(words)"] {
          #expect(no.shown.contains(detail))
        }
        #expect(try twins[0].status().state == .waiting)
        #expect(try answered("y").ending == .exit(0))
        try twins[0].waits(for: .live)
        #expect(try twins[1].status().state == .waiting)
      }
    }

    /// Only the master decides, and only about whom it knows.
    @Test func onlyTheMasterDecides() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for (daemon, word) in [(guest, "guest"), (host, "nobody"), (host, "99")] {
          let refused = try fixture.control(daemon, "approve", word, "--yes")
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
