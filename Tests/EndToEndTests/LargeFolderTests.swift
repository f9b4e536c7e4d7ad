import Control
import Glibc
import Testing

extension EndToEnd {
  /// An own folder that takes longer to look through than a person waits for a mount.
  @Suite struct LargeFolder {
    private static let folders = 300
    private static let files = 150

    private func fill(_ own: String, folders: Int = folders) throws {
      for folder in 0..<folders {
        try Files.makeFolder("\(own)/\(folder)")
        for file in 0..<Self.files { try Files.write("\(own)/\(folder)/\(file)", "") }
      }
    }

    /// S118: the mount is there before all of the own folder was looked at; whoever asks for
    /// something of it finds all of it, and what is done there meanwhile counts. What the group had
    /// of it before stays listed all the while, and what was removed meanwhile goes.
    @Test func theMountDoesNotWaitForItAndListsNoHalfOfIt() throws {
      try withFixture { fixture in
        let own = fixture.newPath("large")
        try Files.makeFolder(own)
        try fill(own)
        let all = (0..<Self.files).map { "\($0)" }.sorted()
        let (host, hub) = try fixture.host(own: own)
        // The scan goes through the last of them first.
        for folder in [0, 150, 7, 299] {
          #expect(try Files.list(host.path("\(folder)")).sorted() == all)
        }
        try Files.write(host.path("5/149"), "changed")
        try Files.unlink(host.path("6/3"))
        try Files.rename(host.path("8"), host.path("moved"))
        try Files.write(host.path("9/new"), "new")
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try eventually("all was looked at") { try host.status().foldersToScan == nil }
        let entries = Self.folders * (Self.files + 1)
        try eventually("all is listed") { try guest.status().entries == entries }
        #expect(try Files.text(guest.path("9/new")) == "new")
        #expect(try Files.text(guest.path("5/149")) == "changed")
        #expect(try Files.list(guest.path("moved")).sorted() == all)
        #expect(!Files.exists(guest.path("6/3")) && !Files.exists(guest.path("8")))

        #expect(try host.leave() == .exit(0))
        try Files.unlink(own + "/10/1")
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try eventually("the guest is back") { try guest.status().state == .live }
        try eventually("the host is there") { Files.exists(guest.path("11")) }
        #expect(try guest.status().entries >= entries - 1)
        #expect(try Files.list(guest.path("11")).sorted() == all)
        try eventually("what was removed is gone") { !Files.exists(guest.path("10/1")) }
        try eventually("all was looked at again") { try host.status().foldersToScan == nil }
        #expect(try guest.status().entries == entries - 1)
        for folder in 0..<Self.folders where folder % 10 == 0 && folder != 10 {
          #expect(try Files.list(guest.path("\(folder)")).sorted() == all)
        }
      }
    }

    /// S55, S118: the kernel lost events while all was looked at for the first time: nothing is
    /// passed over.
    @Test func lostEventsMeanwhileKeepNothingFromBeingShared() throws {
      try withFixture { fixture in
        let own = fixture.newPath("large")
        try Files.makeFolder(own)
        let folders = 2 * Self.folders
        try fill(own, folders: folders)
        for name in ["one", "two"] { try Files.write("\(own)/\(name)", "") }
        let (host, _) = try fixture.host(own: own)
        try #require(try host.status().foldersToScan != nil)
        host.process.kill(SIGSTOP)
        // More than the kernel keeps, each another than the one before.
        for number in 0..<17_000 {
          try Files.setModified("\(own)/\(number % 2 == 0 ? "one" : "two")", number, 0)
        }
        host.process.kill(SIGCONT)
        try eventually("all was looked at") { try host.status().foldersToScan == nil }
        try eventually("all is listed") {
          try host.status().entries == folders * (Self.files + 1) + 2
        }
      }
    }
  }
}
