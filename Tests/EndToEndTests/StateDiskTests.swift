import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct StateDisks {
    /// S95: nobody hears of a change that the master cannot keep; when there is room all goes on by
    /// itself.
    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aFullDiskOfTheMasterMakesChangesWait() throws {
      try withFixture { fixture in
        let disk = try StateDisk(fixture, pages: 64)
        let host = try Daemon("host", fixture, state: disk.path + "/state")
        try host.start(["--host", "--listen", "127.0.0.1:0", "-o", "ack_timeout=2"])
        try host.waits(for: .live)
        let hub = try fixture.hubAddress(of: host)
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "ack_timeout=2"])
        let late = try fixture.waitingMember("late", of: hub)
        try Files.write(guest.path("old"), "before")
        try fixture.waitFor(host.path("old"), "before")

        try disk.fill()
        // What is left of the journal's last page still takes a few.
        var kept: [String] = []
        var code: Int32 = 0
        while code == 0, kept.count < 200 {
          let name = "file \(kept.count)"
          code = Files.errorOf { try Files.write(guest.path(name), name) }
          if code == 0 { kept.append(name) }
        }
        #expect(code == ETIMEDOUT || code == EHOSTDOWN, "\(code) behind \(kept.count)")
        let own = Files.errorOf { try Files.write(host.path("own"), "x") }
        #expect(own == ETIMEDOUT || own == EHOSTDOWN)
        let new = Files.errorOf { try Files.write(guest.path("old"), "during") }
        #expect(new == ETIMEDOUT || new == EHOSTDOWN)
        // Nobody is let in or out without its being kept, and reading goes on.
        #expect(
          try fixture.control(host, "approve", "\(late.publicID())", "--yes").ending == .exit(1))
        #expect(try Files.text(host.path("file 0")) == "file 0")
        #expect(try guest.status().seq == host.status().seq)

        try disk.free()
        // What was announced is told again, without anybody's doing.
        try fixture.waitFor(host.path("old"), "during")
        try Files.write(host.path("own"), "now")
        try fixture.waitFor(guest.path("own"), "now")
        try fixture.control(host, "approve", "\(late.publicID())", "--yes").succeeded()
        try late.waits(for: .live)

        // And what was said to be there is there after a kill.
        let epoch = try host.status().epoch
        try host.crash()
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        for name in kept { try fixture.waitFor(host.path(name), name) }
        try guest.waits(for: .live)
        try fixture.waitForSameList(host, guest)
        #expect(try host.status().epoch == epoch)
        #expect(try fixture.control(host, "check").ending == .exit(0))
      }
    }

    /// S94, S96: the start stops with a line that says what to type; `check` says the same before.
    @Test func damageStopsTheStartAndCheckSaysWhere() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("a"), "b")
        let well = try fixture.control(host, "check")
        #expect(well.ending == .exit(0) && !well.text.contains("NOT WELL"))
        for name in ["key", "vault", "journal", "index", "hub/registry", "hub/tls-key.pem"] {
          #expect(well.text.contains(name))
        }
        #expect(try host.leave() == .exit(0))
        for name in ["vault", "key", "hub/registry"] {
          let path = host.state + "/" + name
          let good = try Files.read(path)
          var damaged = good
          damaged[damaged.count - 1] ^= 1
          try Files.write(path, damaged)
          let check = try fixture.control(host, "check")
          #expect(check.ending == .exit(1) && check.text.contains("\(path) is damaged"))
          try host.start(["--host", "--listen", hub])
          #expect(try host.process.wait() == .exit(73))
          #expect(try Files.text(host.log).contains("\(path) is damaged"))
          #expect(try Files.read(path) == damaged)
          try Files.write(path, good)
        }
        // A damaged journal is set aside, and the list comes back from whoever has the files.
        let path = host.state + "/journal"
        var journal = try Files.read(path)
        journal[journal.count / 2] ^= 4
        try Files.write(path, journal)
        #expect(try fixture.control(host, "check").ending == .exit(1))
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try fixture.waitFor(host.path("a"), "b")
        #expect(try Files.read(path + ".damaged-1") == journal)
        #expect(try Files.text(host.log).contains("kept as \(path).damaged-1"))
        #expect(try fixture.control(host, "check").ending == .exit(0))
      }
    }
  }
}

/// A small file system for a state folder, which can be filled to the last page. Root only.
private struct StateDisk {
  let path: String
  private var filler: String { path + "/filler" }

  init(_ fixture: Fixture, pages: Int) throws {
    path = try fixture.newFolder("disk")
    let path = path
    try retryingOnInterrupt("mount a small disk") {
      mount("fsharefs-test", path, "tmpfs", 0, "size=\(4 * pages)k,mode=700")
    }
    fixture.atEnd { MountPoint.detach(path) }
  }

  func fill() throws {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open the filler") {
        open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      })
    let page = [UInt8](repeating: 1, count: 4_096)
    while (try? File.writeAll(page, to: file.raw, "filler")) != nil {}
  }

  func free() throws { try retryingOnInterrupt("remove the filler") { unlink(filler) } }
}
