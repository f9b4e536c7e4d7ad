import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S122: `fsharectl limit`, and the options of the same.
  @Suite struct RateLimits {
    private static let rate = 256 << 10
    private static let size = 900 << 10

    /// How long a read takes at least: what comes at once beside the rate is left out.
    private static let least = Duration.milliseconds((size - (300 << 10)) * 1_000 / rate)

    @Test func readsAndUploadsAreBounded() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "down=256K"])
        for name in ["one", "two", "three"] {
          try Files.write(host.path(name), Samples.bytes(Self.size))
          try Files.write(guest.path("guest's " + name), Samples.bytes(Self.size))
        }
        try fixture.waitFor(guest.path("three"))
        try fixture.waitFor(host.path("guest's three"))
        func time(_ path: String) throws -> Duration {
          let start = MonotonicClock.now
          #expect(try Files.read(path) == Samples.bytes(Self.size))
          return MonotonicClock.now - start
        }
        #expect(try time(guest.path("one")) >= Self.least)
        let shown = try fixture.control(guest, "status").succeeded().text
        #expect(shown.contains("down: 256.0 KiB/s"), "\(shown)")
        // What one uploads is another line's.
        let limit = try fixture.control(guest, "limit", "--up", "256K", "--down", "none")
        #expect(try limit.succeeded().text == "up: 256.0 KiB/s, down: no limit\n")
        #expect(try time(host.path("guest's one")) >= Self.least)
        // It goes on at once where a limit goes that something waits for.
        let lowest = try fixture.control(guest, "limit", "--up", "64K")
        #expect(try lowest.succeeded().text.hasPrefix("up: 64.0 KiB/s"))
        let reader = try RunningProcess(
          ["cat", host.path("guest's two")], output: "/dev/null", errors: "/dev/null")
        _ = fixture.watch(reader)
        try eventually("something is uploaded") {
          try fixture.control(guest, "transfers").succeeded().text.contains("guest's two")
        }
        #expect(reader.ended == nil)
        try fixture.control(guest, "limit", "--up", "none").succeeded()
        #expect(try reader.wait() == .exit(0))

        for wrong in ["10", "fast", "-1M", "1e99", "nanM", "1", ""] {
          let refused = try fixture.control(guest, "limit", "--down", wrong)
          #expect(refused.ending != .exit(0) && !refused.errors.isEmpty, "\(wrong)")
        }
        #expect(
          try fixture.control(guest, "limit").succeeded().text == "up: no limit, down: no limit\n")
        let option = try fixture.run(Programs.fsharefs, "-o", "up=1", hub, guest.mount)
        #expect(option.ending == .exit(64) && option.errors.contains("at least 64K"))
      }
    }
  }
}
