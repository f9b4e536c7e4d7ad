import Control
import Glibc
import System
import Testing

extension Commands {
  @Suite struct ReadmeStory {
    /// S1, S2, S5, S8, S33, S34.
    @Test func twoPeopleShareFoldersBothWays() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.waitingMember("guest", of: hub)
        let id = try guest.publicID()
        let shown = try #require(try host.members().first { $0.name == "guest" })
        #expect(shown.publicID == id && shown.state == .waiting)
        let table = try fixture.control(host, "members").succeeded().text
        #expect(table.contains("guest") && table.contains("waiting"))

        try fixture.control(host, "approve", "\(id)", "--yes").succeeded()
        try guest.waits(for: .live)

        let source = fixture.newPath("source")
        try Samples.folder(source, seed: 11)
        try fixture.run("cp", "-r", source, host.path("from host")).succeeded()
        try fixture.waitForEquality(host.mount, guest.mount)
        try fixture.run("cp", "-a", source, guest.path("from guest")).succeeded()
        try fixture.waitForEquality(host.mount, guest.mount)
        // Copied with -a, it is what it was, times included.
        let (original, seen) = (try Tree(source), try Tree(host.path("from guest")))
        #expect(original.difference(seen) == "nothing")
        let plain = try Tree(guest.path("from host"), timesMatter: false)
        #expect(try Tree(source, timesMatter: false).difference(plain) == "nothing")
        try fixture.waitForSameList(host, guest)
      }
    }

    /// A member that waits says on its terminal who it is and what the master has to do.
    @Test func aWaitingMemberSaysWhatToType() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try Daemon("guest", fixture)
        try guest.start([hub])
        let id = try guest.publicID()
        try eventually("the line about the approval") {
          try Files.text(guest.log).contains("fsharectl approve \(id)")
        }
        #expect(!MountPoint.isLive(guest.mount))
        try fixture.control(host, "approve", "guest", "--yes").succeeded()
        try guest.waits(for: .live)
      }
    }
  }
}
