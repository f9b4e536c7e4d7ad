import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct EntryProperties {
    /// S119: what the mount says of an entry is there by name, for both sides, and not listed; as
    /// much is said to be here as was read.
    @Test func whoseItIsAndWhereItsBytesAre() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let size = 8 << 20
        try Files.makeFolder(host.path("folder"))
        try Files.write(host.path("folder/file"), [UInt8](repeating: 7, count: size))
        try fixture.waitForSameList(host, guest)
        let (own, theirs) = (host.path("folder/file"), guest.path("folder/file"))
        for path in [own, theirs, guest.path("folder")] {
          #expect(Self.property("owner", path) == "host")
          #expect(Self.property("public_id", path) == "0")
          #expect(listxattr(path, nil, 0) == 0)
        }
        #expect(Self.property("state", own) == "here")
        #expect(Self.property("state", guest.path("folder")) == "online")
        let version = Self.property("version", own)
        #expect(version?.count == 32 && Self.property("version", theirs) == version)
        #expect(Self.property("version", guest.path("folder")) == nil)
        #expect(Self.property("anything", own) == nil)
        // Two leaves of 64.
        let file = try Files.open(theirs, O_RDONLY)
        defer { close(file) }
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM)
        #expect(Self.property("state", theirs) == "not here")
        var byte: UInt8 = 0
        #expect(pread(file, &byte, 1, off_t(size - 1)) == 1)
        let state = Self.property("state", theirs)
        #expect(state?.hasPrefix("cached ") == true, "\(state ?? "none")")
        #expect(try Files.read(theirs).count == size)
        #expect(Self.property("state", theirs) == "here")
      }
    }

    /// S119: nobody sets them, of one's own entries neither, and copies have none.
    @Test func theyCannotBeSetAndAreNotCopied() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("file"), "content")
        try fixture.waitForEquality(host.mount, guest.mount)
        for path in [host.path("file"), guest.path("file")] {
          #expect(setxattr(path, "user.fsharefs.owner", "me", 2, 0) == -1 && errno == EPERM)
          #expect(removexattr(path, "user.fsharefs.owner") == -1 && errno == EPERM)
        }
        let copy = fixture.folder + "/copy"
        #expect(try fixture.run(["cp", "-a", guest.path("file"), copy]).ending == .exit(0))
        #expect(listxattr(copy, nil, 0) == 0)
        // While the master does not answer, a new file is here only.
        host.process.kill(SIGSTOP)
        defer { host.process.kill(SIGCONT) }
        try Files.makeFolder(guest.path("new"))
        #expect(Self.property("owner", guest.path("new")) == "guest")
        #expect(Self.property("state", guest.path("new")) == "here, not shared yet")
        host.process.kill(SIGCONT)
        try eventually("the group has it") { Self.property("state", guest.path("new")) == "here" }
      }
    }

    /// nil: there is none.
    private static func property(_ name: String, _ path: String) -> String? {
      var value = [UInt8](repeating: 0, count: 256)
      let count = getxattr(path, "user.fsharefs.\(name)", &value, value.count)
      if count < 0 { return nil }
      return String(decoding: value[..<count], as: UTF8.self)
    }
  }
}
