import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct OthersFiles {
    /// S3, S4: root is no exception.
    @Test func othersFilesCannotBeChanged() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("theirs"))
        try Files.write(host.path("theirs/file"), "not yours")
        try Files.write(guest.path("mine"), "mine")
        let file = guest.path("theirs/file")
        try fixture.waitFor(file, "not yours")

        for flags in [O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT] {
          #expect(Files.errorOf { _ = try Files.open(file, flags) } == EACCES)
        }
        #expect(Files.errorOf { try Files.unlink(file) } == EPERM)
        #expect(Files.errorOf { try Files.rename(file, guest.path("stolen")) } == EPERM)
        #expect(Files.errorOf { try Files.rename(guest.path("mine"), file) } == EPERM)
        #expect(Files.errorOf { try Files.chmod(file, 0o777) } == EPERM)
        #expect(Files.errorOf { try Files.setModified(file, 1, 0) } == EPERM)
        #expect([EPERM, EACCES].contains(Files.errorOf { try Files.truncate(file, 0) }))
        #expect(Files.errorOf { try Files.rename(guest.path("theirs"), guest.path("x")) } == EPERM)
        #expect(try Files.text(file) == "not yours")
        #expect(try Files.text(guest.path("mine")) == "mine")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S2, S4: `rm -rf` of all that is seen takes back what is one's own, and nothing else.
    @Test func removingEverythingRemovesOnlyOnesOwn() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("both"))
        try Files.chmod(host.path("both"), 0o1777)
        try Files.write(host.path("both/host's"), "1")
        try fixture.waitFor(guest.path("both/host's"), "1")
        try Files.write(guest.path("both/guest's"), "2")
        try Files.makeFolder(guest.path("own"))
        try Files.write(guest.path("own/file"), "3")
        try fixture.waitFor(host.path("both/guest's"), "2")
        let removal = try fixture.shell("rm -rf \"$1\"/*", guest.mount)
        #expect(removal.ending == .exit(1))
        try fixture.waitForAbsence(host.path("both/guest's"))
        try fixture.waitForAbsence(host.path("own"))
        #expect(try Files.text(host.path("both/host's")) == "1")
        #expect(try Files.text(guest.path("both/host's")) == "1")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S1, S9, S10, S23: two members claim one path at the same moment. One has it; the other's
    /// program hears of it, or its file goes on under the conflict name. Both see the same.
    @Test(arguments: 1...3) func onePathHasOneOwner(round: Int) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let members = [
          try fixture.member("anna", of: hub, approvedBy: host),
          try fixture.member("bert", of: hub, approvedBy: host),
        ]
        let results = Locked<[Int: Int32]>([:])
        let paths = members.map { $0.path("claimed") }
        let writers = try paths.enumerated().map { index, path in
          try Thread.start(name: "writer") {
            let code = Files.errorOf {
              try Files.write(path, "of \(index)", flags: O_CREAT | O_EXCL)
            }
            results.withLock { $0[index] = code }
          }
        }
        for writer in writers { writer.join() }
        let codes = results.withLock { $0 }
        let winners = codes.filter { $0.value == 0 }.keys
        #expect(!winners.isEmpty)
        for code in codes.values where code != 0 { #expect(code == EEXIST) }
        try fixture.waitForEquality(members[0].mount, members[1].mount)
        try fixture.waitForEquality(members[0].mount, host.mount)
        try fixture.waitForSameList(members[0], members[1])
        let owner = try Files.text(host.path("claimed"))
        #expect(winners.contains { owner == "of \($0)" })
        if winners.count == 2 {
          #expect(try Files.list(host.mount).contains { $0.hasPrefix("claimed (conflict, ") })
        }
      }
    }

    /// S23: a path that somebody took while a member was away is kept under the conflict name.
    @Test func aPathTakenMeanwhileIsKeptAside() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        #expect(try guest.leave() == .exit(0))
        try Files.write(guest.own + "/report", "the guest's")
        try Files.write(host.path("report"), "the host's")
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        try fixture.waitFor(host.path("report (conflict, guest)"), "the guest's")
        try fixture.waitFor(guest.path("report"), "the host's")
        #expect(try Files.text(guest.own + "/report (conflict, guest)") == "the guest's")
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S26, S27: an open file keeps the version that it opened, or fails; it never mixes two.
    @Test func anOpenFileNeverMixesVersions() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let first = [UInt8](repeating: 0x31, count: 8 << 20)
        let second = [UInt8](repeating: 0x32, count: 8 << 20)
        try Files.write(host.path("file"), first)
        try eventually("all of it is listed") {
          try Stat(path: guest.path("file")).size == 8 << 20
        }
        let before = try Stat(path: guest.path("file")).ino
        let open = OwnedDescriptor(try Files.open(guest.path("file"), O_RDONLY))
        var piece = [UInt8](repeating: 0, count: 4096)
        #expect(pread(open.raw, &piece, piece.count, 0) == 4096)
        try Files.write(host.path("file"), second)
        try eventually("the new version is listed") {
          try Stat(path: guest.path("file")).ino != before
        }
        var seen: Set<UInt8> = [piece[0]]
        for offset in stride(from: 0, to: 8 << 20, by: 1 << 20) {
          let count = pread(open.raw, &piece, piece.count, off_t(offset))
          if count < 0 {
            #expect(errno == ESTALE)
          } else {
            seen.formUnion(piece[..<count])
          }
        }
        #expect(seen == [0x31])
        #expect(try Files.read(guest.path("file")) == second)
      }
    }
  }
}
