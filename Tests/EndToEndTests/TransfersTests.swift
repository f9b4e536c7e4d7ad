import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// `fsharectl transfers` and `why`: what is on its way, and why something is not.
  @Suite struct Transfers {
    private func why(_ fixture: Fixture, _ daemon: Daemon, _ path: String) throws -> String {
      try fixture.control(daemon, "why", path).succeeded().text
    }

    private func transfers(_ fixture: Fixture, _ daemon: Daemon) throws -> TransfersReport {
      let response = try ControlClient.call(
        stateFolder: daemon.state, request: ControlRequest(command: "transfers"))
      guard let result = response.result else {
        throw NeverHappened(description: "transfers was refused: \(response.message)")
      }
      return try result.decode(as: TransfersReport.self)
    }

    @Test func bothSidesSeeAFileOnItsWay() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let size = 5_000_000
        try Files.write(host.path("film"), Samples.bytes(size))
        try fixture.waitFor(guest.path("film"))
        #expect(
          try fixture.control(guest, "transfers").succeeded().text
            == "nothing is being read or uploaded\n")

        // Open until the end, so that it counts as being read.
        let file = OwnedDescriptor(try Files.open(guest.path("film"), O_RDONLY))
        var bytes = [UInt8](repeating: 0, count: size)
        var got = 0
        while got < size {
          let count = try retryingOnInterrupt("read") { read(file.raw, &bytes, size) }
          try #require(count > 0)
          got += count
        }
        let reading = try #require(try transfers(fixture, guest).transfers.first)
        #expect(reading.direction == .reading && reading.path == "film")
        #expect(reading.owner == "host" && reading.ownerID == 0)
        #expect(reading.reader == "this member")
        #expect(reading.bytes == UInt64(size) && reading.size == UInt64(size) && reading.rate > 0)
        #expect(reading.route.hasPrefix("direct, 127.0.0.1:"))
        let uploading = try #require(try transfers(fixture, host).transfers.first)
        #expect(uploading.direction == .uploading && uploading.path == "film")
        #expect(uploading.bytes == UInt64(size) && uploading.reader == "the group")
        let line = try fixture.control(host, "transfers").succeeded().text
        #expect(line.hasPrefix("film: uploading for the group, 4.7 of 4.7 MiB, "))
        let json = try fixture.control(guest, "transfers", "--json").succeeded().text
        #expect(json.contains("\"path\" : \"film\""))
        // What has ended is no longer shown.
        try eventually("it is over") { try transfers(fixture, host).transfers.isEmpty }
      }
    }

    @Test func aTerminalIsRedrawnUntilItsUserEndsIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let name = String(repeating: "long name ", count: 15) + "end"
        try Files.write(host.path(name), Samples.bytes(500_000))
        try fixture.waitFor(guest.path(name))
        let terminal = try Terminal(columns: 80, rows: 24)
        let live = try RunningProcess(
          [Programs.control, "transfers", "--state", guest.state], output: terminal.path,
          errors: fixture.newPath("transfers") + ".log")
        _ = fixture.watch(live)
        try eventually("it shows nothing") {
          terminal.text.contains("nothing is being read or uploaded")
        }
        try fixture.control(guest, "pause").succeeded()
        let reader = try RunningProcess(
          ["cat", guest.path(name)], output: fixture.newPath("copy"),
          errors: fixture.newPath("cat") + ".log")
        _ = fixture.watch(reader)
        try eventually("it shows the paused read, again and again") {
          let paused = terminal.text.ranges(
            of: "  from host (0)  0.0 of 488.2 KiB  paused\u{1B}[K")
          return paused.count >= 2
        }
        try fixture.control(guest, "resume").succeeded()
        #expect(try reader.wait() == .exit(0))
        live.kill(SIGINT)
        #expect(try live.wait() == .signal(SIGINT))
        // Every screen replaces the one before, and no line is wider than the terminal.
        #expect(terminal.text.contains("\u{1B}[1A\r") && terminal.text.contains("\u{1B}[3A\r"))
        for line in terminal.text.split(separator: "\u{1B}[K") {
          #expect((line.split(separator: "\r").last ?? "").count <= 80 + 1)
        }
      }
    }

    @Test func whyTellsWhereAFileIsAndWhatItWaitsFor() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let anna = try fixture.member("anna", of: hub, approvedBy: host)
        let bert = try fixture.member("bert", of: hub, approvedBy: host)
        try Files.makeFolder(anna.path("docs"))
        try Files.write(anna.path("docs/letter"), Samples.bytes(300_000))
        try Files.write(anna.path("docs/other"), Samples.bytes(300_000))
        try fixture.waitFor(bert.path("docs/other"))

        let fresh = try why(fixture, bert, "docs/letter")
        #expect(fresh.contains(", of anna (member \(try anna.publicID()))."))
        #expect(fresh.contains("Its owner is online.\nNone of its 3 leaves is in memory."))
        #expect(fresh.contains("No program has it open."))
        _ = try Files.read(bert.path("docs/letter"))
        let file = OwnedDescriptor(try Files.open(bert.path("docs/letter"), O_RDONLY))
        let read = try why(fixture, bert, bert.path("docs/letter"))
        #expect(read.contains("3 of its 3 leaves are in memory.\nIt is open by 1 handle."))
        withExtendedLifetime(file) {}
        let own = try why(fixture, anna, "docs/letter")
        #expect(own.contains("is your own") && own.contains("It lies in the own folder."))
        #expect(own.contains("The group has it as it is."))
        #expect(try why(fixture, bert, "docs").contains("docs is a folder, of anna"))

        try fixture.control(bert, "pause", "docs/other").succeeded()
        let reader = try RunningProcess(
          ["cat", bert.path("docs/other")], output: fixture.newPath("copy"),
          errors: fixture.newPath("cat") + ".log")
        _ = fixture.watch(reader)
        try eventually("the pause is the reason") {
          let text = try why(fixture, bert, "docs/other")
          return text.contains("It is paused")
            && text.contains("for the pause to end; a pause has no")
        }
        try anna.crash()
        try fixture.control(bert, "resume").succeeded()
        try eventually("its lost owner is the reason") {
          let text = try why(fixture, bert, "docs/other")
          return text.contains("Its owner is away since 2")
            && text.contains("for its owner to come back; the first gives up in ")
        }
        reader.kill(SIGKILL)
        #expect(try reader.wait() == .signal(SIGKILL))
      }
    }
  }
}
