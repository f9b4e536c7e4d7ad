import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// An approved member that lies: what `docs/security.md` says of it, row by row.
  @Suite struct Liars {
    private static let size = 3 * 128 * 1024 + 500

    private func entry(
      _ text: String, id: EntryID = RandomID(high: 9, low: SecureRandom.uint64()),
      version: Version = RandomID(high: 8, low: 8), size: UInt64 = 10, beginning: Version? = nil
    ) throws -> Entry {
      Entry(
        id: id, path: try SharePath(Array(text.utf8)), kind: .file, version: version, size: size,
        modified: FileTime(seconds: 1), mode: 0o644, beginning: beginning)
    }

    /// Under another's version, and under its id and version, and then grown: whoever reads the
    /// other's file reads the other's bytes.
    @Test func anothersVersionsLeadNowhereElse() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let content = Samples.bytes(Self.size, seed: 1)
        try Files.write(host.path("victim"), content)
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.waitFor(guest.path("victim"))
        let open = try Files.open(guest.path("victim"), O_RDONLY)
        defer { close(open) }
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        let victim = try #require(try liar.list()["victim"]).entry
        let version = victim.version
        for (name, id) in [("mine", victim.id), ("other", RandomID(high: 3, low: 3))] {
          #expect(
            try liar.add(entry(name, id: id, version: version, size: victim.size)).isEmpty)
          let grown = try entry(
            name, id: id, version: RandomID(high: 5, low: id.low), size: victim.size + 4_096,
            beginning: version)
          #expect(try liar.add(grown).isEmpty)
          try eventually("\(name) has grown") {
            try Stat(path: guest.path(name)).size == Int64(victim.size) + 4_096
          }
        }
        #expect(try Files.read(guest.path("victim")) == content)
        #expect(try Stat(path: guest.path("victim")).size == Int64(Self.size))
        let why = try fixture.control(guest, "why", "victim").succeeded().text
        #expect(why.contains("member 0"), "\(why)")
        // Content of the victim's is the victim's to change, whatever has its name.
        try Files.write(host.path("victim"), Samples.bytes(Self.size, seed: 2))
        try eventually("the new content is there") {
          try Files.read(guest.path("victim")) == Samples.bytes(Self.size, seed: 2)
        }
      }
    }

    /// Under the ids of a member that is away: when it comes back all its files are where they
    /// were.
    @Test func anothersIdsDisplaceNothing() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(guest.path("dir"))
        for name in ["a", "b", "dir/c"] { try Files.write(guest.path(name), name) }
        try fixture.waitFor(host.path("dir/c"), "dir/c")
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        let listed = try liar.list()
        try guest.crash()
        var stolen: [Entry] = []
        for (path, one) in listed where one.entry.kind == .file {
          stolen.append(
            try entry(
              "stolen \(path.replacing("/", with: "-"))", id: one.entry.id,
              version: one.entry.version))
        }
        #expect(try liar.add(stolen).isEmpty && stolen.count == 3)
        // Nor are they taken off or moved by whoever says their names.
        for one in stolen { try liar.remove(one.id) }
        #expect(try liar.add(stolen).isEmpty)
        try guest.start(["--nowait", hub])
        try guest.waits(for: .live)
        for daemon in [guest, host] {
          for name in ["a", "b", "dir/c"] {
            try fixture.waitFor(daemon.path(name), name)
          }
          try fixture.waitFor(daemon.path("stolen a"))
        }
        try Files.write(guest.path("a"), "still mine")
        try fixture.waitFor(host.path("a"), "still mine")
      }
    }

    /// Paths that imply more than they are: refused by their depth, and by what they take.
    @Test func deepPathsCostTheirSender() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--member-paths", "1", "--member-entries", "500"])
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        let before = try memory(host)
        let deepest = String(repeating: "a/", count: 2_000)
        let deep = try (0..<300).map { try entry("\($0)/" + deepest + "x") }
        for batch in stride(from: 0, to: 300, by: 10) {
          let refused = try liar.add(Array(deep[batch..<(batch + 10)]))
          #expect(refused.count == 10 && refused.allSatisfy { $0.reason == .tooDeep })
        }
        let allowed = String(repeating: "\(String(repeating: "d", count: 15))/", count: 250)
        let wide = try (0..<20).map { try entry("\($0)/" + allowed + "x") }
        var refused = 0
        for one in wide { refused += try liar.add(one).count }
        #expect(refused >= 17)
        let many = try (0..<600).map { try entry("small \($0)") }
        let full = try liar.add(many)
        #expect(full.count > 90 && full.allSatisfy { $0.reason == .shareFull })
        #expect(try memory(host) - before < 64 << 20)
        // What it has takes nothing of anybody else's.
        try Files.write(host.path("fine"), "fine")
        let report = try fixture.control(host, "members", "--all").succeeded().text
        #expect(report.contains("PATHS"))
      }
    }

    /// Who takes nothing of what it asked for, and says that it has no more to say, is closed; the
    /// hub goes on.
    @Test(arguments: [true, false]) func aReaderThatReadsNothingIsNobodysProblem(isDown: Bool)
      throws
    {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("large"), Samples.bytes(40 << 20, seed: 4))
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        try liar.peer.openDown(with: liar.greeting)
        let target = try #require(try liar.list()["large"])
        if isDown {
          for first in stride(from: 0, to: 320, by: 64) as StrideTo<UInt64> {
            try liar.request(target, from: first)
          }
          try eventually("the hub has more for it than it takes") {
            try host.status().hubConnected && liar.peer.down!.hasUnread
          }
        } else {
          let long = String(repeating: "l", count: 240)
          #expect(try liar.add((0..<150).map { try entry("\(long)\($0)") }).isEmpty)
          // More than the kernel takes for it, and less than the hub keeps.
          for _ in 0..<250 { try liar.ask() }
          try eventually("all is asked") { liar.peer.peer.socket.hasUnread }
        }
        let end = isDown ? liar.peer.down! : liar.peer.peer.socket
        end.finish()
        for number in 0..<30 {
          try Files.write(guest.path("honest \(number)"), "of the guest")
          #expect(try Files.text(host.path("honest \(number)")) == "of the guest")
        }
        #expect(try Files.read(guest.path("large")).count == 40 << 20)
        let id = liar.peer.publicID.value
        try eventually("it is closed") {
          try host.members().first { $0.publicID == id }?.presence != .online
        }
      }
    }

    /// While a member says as much as it can, others share and read, the master's connection stays,
    /// and the member can be put out.
    @Test(arguments: Flood.allCases) func aFloodIsItsSendersProblem(flood: Flood) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--member-entries", "3000", "--member-paths", "4"])
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let content = Samples.bytes(2 << 20, seed: 4)
        try Files.write(host.path("read"), content)
        let liar = try Liar(fixture, of: hub, approvedBy: host)
        let target = try #require(try liar.list()["read"])
        let before = try (memory(host), memory(guest))
        let isOver = Locked(false)
        let thrown = Locked(0)
        // SAFETY: nobody else touches it until the thread has ended.
        nonisolated(unsafe) let source = try FloodSource(
          flood, by: liar, of: hub, target: flood.needsTarget ? target : nil)
        let thread = try Thread.start(name: "flood") {
          while !isOver.withLock({ $0 }) {
            do {
              try source.next()
              thrown.withLock { $0 += 1 }
            } catch let error as SystemError where error.code == EAGAIN {
              // It is not read any more: just as it should be.
            } catch { break }
          }
        }
        for number in 0..<60 {
          try Files.write(guest.path("honest \(number)"), "of the guest")
          try Files.write(host.path("master's \(number)"), "of the host")
        }
        #expect(try Files.read(guest.path("read")) == content)
        #expect(thrown.withLock { $0 } > 20)
        let status = try host.status()
        #expect(status.hubConnected)
        for daemon in [host, guest] {
          let log = try Files.text(daemon.log)
          #expect(
            !log.contains("not connected:") && !log.contains("too slow"), "\(log.suffix(2_000))")
        }
        try fixture.control(host, "disapprove", "\(liar.peer.publicID.value)").succeeded()
        isOver.withLock { $0 = true }
        liar.peer.peer.socket.hangUp()
        thread.join()
        let after = try (memory(host), memory(guest))
        #expect(after.0 - before.0 < 96 << 20, "the host grew by \((after.0 - before.0) >> 20) MiB")
        #expect(
          after.1 - before.1 < 64 << 20, "the guest grew by \((after.1 - before.1) >> 20) MiB")
        try fixture.waitFor(host.path("honest 59"), "of the guest")
        try fixture.waitFor(guest.path("master's 59"), "of the host")
      }
    }

    /// Bytes of memory that a daemon has now.
    private func memory(_ daemon: Daemon) throws -> Int {
      let fields = try Files.text("/proc/\(daemon.process.pid)/statm").split(separator: " ")
      guard fields.count > 1, let pages = Int(fields[1]) else {
        throw NeverHappened(description: "statm: \(fields)")
      }
      return pages * 4_096
    }
  }
}
