import Control
import Glibc
import Sealing
import State
import System
import Testing

extension EndToEnd {
  /// The time of day is a guess: of a machine without a battery, with a wrong zone, set by hand.
  @Suite struct Clocks {
    /// S115: whatever the clocks say, and however they jump, everything goes on.
    @Test func whateverTheTimeOfDayIsAllGoesOn() throws {
      try withFixture { fixture in
        let (ours, theirs) = (try MovableClock(fixture), try MovableClock(fixture))
        // A certificate that is not good before 2106, looked at by somebody in 1970.
        try ours.set(.in2106)
        try theirs.set(.in1970)
        let (host, hub) = try fixture.host(clock: ours)
        let guest = try fixture.member("guest", of: hub, approvedBy: host, clock: theirs)
        let run = try SmallFile.incarnation(host.state + "/incarnation")
        // Above its 20 random bits are milliseconds: the clock is the one that was set.
        #expect(try #require(run) >> 20 > 1_000 << 32)
        var names: [String] = []
        func allGoesOn(_ what: String) throws {
          for (one, other) in [(guest, host), (host, guest)] {
            let name = "\(names.count), \(what)"
            names.append(name)
            try Files.write(one.path(name), name)
            try fixture.waitFor(other.path(name), name)
          }
          for name in names {
            try fixture.waitFor(host.path(name), name)
            try fixture.waitFor(guest.path(name), name)
          }
          try fixture.control(host, "members", "--all").succeeded()
          try fixture.control(guest, "status").succeeded()
          try fixture.waitForSameList(host, guest)
        }
        for time in MovableClock.Time.allCases {
          let before = try generation(host)
          try ours.set(time)
          // Weeks lie between any two but these.
          if time != .hoursAhead, time != .right {
            try eventually("there is another key") { try generation(host) > before }
          }
          try allGoesOn("the host's \(time)")
          try theirs.set(time)
          try allGoesOn("the guest's \(time)")
        }
        // Back from the future: a run's number grows all the same.
        let last = try #require(try SmallFile.incarnation(guest.state + "/incarnation"))
        for time in [MovableClock.Time.in2106, .yearsBack] {
          try guest.crash()
          try theirs.set(time)
          try guest.start(["--nowait", hub])
          try guest.waits(for: .live)
          try allGoesOn("a start, \(time)")
        }
        #expect(try #require(try SmallFile.incarnation(guest.state + "/incarnation")) > last)
        #expect(try fixture.control(host, "check").ending == .exit(0))
      }
    }

    /// Of the group's key, as the master keeps it.
    private func generation(_ host: Daemon) throws -> UInt32 {
      try VaultFile.read(host.state + "/vault")?.keys.last?.generation ?? 0
    }
  }
}
