import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// What the kernel keeps, and that it is never stale.
  @Suite struct Caches {
    /// S65: `stat`, `readlink` and path walks of what is known are the kernel's alone: they work
    /// while nobody is there to be asked.
    @Test func whatIsKnownAsksNobody() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for folder in 0..<3 {
          try Files.makeFolder(host.path("\(folder)"))
          for file in 0..<20 { try Files.write(host.path("\(folder)/\(file)"), "\(file)") }
        }
        try guest.lists(63)
        let paths = (0..<3).flatMap { folder in
          (0..<20).map { guest.path("\(folder)/\($0)") } + [guest.path("\(folder)")]
        }
        let missing = (0..<3).map { guest.path("\($0)/missing") }
        for path in paths { _ = try Stat(path: path) }
        for path in missing { try #require(!Files.exists(path)) }
        guest.process.kill(SIGSTOP)
        defer { guest.process.kill(SIGCONT) }
        let found = try fixture.run(["stat", "-c", "%s"] + paths, within: .seconds(10))
        #expect(found.text.split(separator: "\n").count == paths.count)
        let tests = missing.map { "! test -e '\($0)'" }.joined(separator: " && ")
        try fixture.run(["sh", "-c", tests], within: .seconds(10)).succeeded()
      }
    }

    /// S5, S65: behind the writer's `close` the other side sees what was written, in every way of
    /// looking, and from then on nothing older.
    @Test func nothingIsStale() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let path = guest.path("file")
        try Files.write(host.path("file"), text(0))
        try fixture.waitFor(path, text(0))
        let published = Locked(0)
        let seen = Locked(0)
        let faults = Locked<[String]>([])
        let isDone = Locked(false)
        let reader = try Thread.start(name: "reader") {
          while !isDone.withLock({ $0 }) {
            let before = seen.withLock { $0 }
            let bytes = (try? Stat(path: path).size) ?? -1
            guard let text = try? Files.text(path), let round = Int(text.prefix(6)) else {
              continue
            }
            if round < before { faults.withLock { $0.append("read \(round) behind \(before)") } }
            if bytes < Int64(100 + before) {
              faults.withLock { $0.append("\(bytes) bytes behind \(before)") }
            }
            seen.withLock { $0 = max($0, round) }
          }
        }
        defer {
          isDone.withLock { $0 = true }
          reader.join()
        }
        for round in 1...300 {
          if round % 3 == 0 {
            try Files.write(host.path("new"), text(round))
            try Files.rename(host.path("new"), host.path("file"))
          } else {
            try Files.write(host.path("file"), text(round))
          }
          published.withLock { $0 = round }
          let (_, time) = try timed {
            try lookUntil("round \(round) is seen") { seen.withLock { $0 } >= round }
          }
          #expect(time < .seconds(2), "round \(round)")
        }
        #expect(faults.withLock { $0 } == [])
      }
    }

    /// S65: that something is not there is not kept for longer than it is true, nor that it is
    /// there.
    @Test func whatIsMissingAppearsAndGoes() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("folder"))
        try fixture.waitFor(guest.path("folder"))
        for round in 0..<100 {
          let name = "folder/\(round % 7)"
          try #require(!Files.exists(guest.path(name)))
          try #require(try Files.list(guest.path("folder")).isEmpty)
          try Files.write(host.path(name), "\(round)")
          try fixture.waitFor(guest.path(name), "\(round)")
          try #require(try Files.list(guest.path("folder")) == ["\(round % 7)"])
          try Files.unlink(host.path(name))
          try fixture.waitForAbsence(guest.path(name))
        }
      }
    }

    /// The content of a round: longer than that of the round before.
    private func text(_ round: Int) -> String {
      let number = "\(1_000_000 + round)".dropFirst()
      return number + String(repeating: ".", count: 94 + round)
    }
  }
}
