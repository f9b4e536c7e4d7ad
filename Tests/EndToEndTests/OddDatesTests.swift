import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct OddDates {
    /// Seconds and nanoseconds since 1970 that once stopped everybody, or were shown as others.
    private static let dates: [(name: String, time: timespec)] = [
      ("year 1601", timespec(tv_sec: -11_644_473_600, tv_nsec: 0)),
      ("before 1970", timespec(tv_sec: -1, tv_nsec: 999_999_999)),
      ("the last of Int64 nanoseconds", timespec(tv_sec: 9_223_372_036, tv_nsec: 854_775_808)),
      ("year 2300", timespec(tv_sec: 10_413_792_000, tv_nsec: 1)),
      ("year 2446", timespec(tv_sec: 15_032_385_535, tv_nsec: 999_999_999)),
      ("the greatest", timespec(tv_sec: .max, tv_nsec: 0)),
      ("the least", timespec(tv_sec: .min, tv_nsec: 0)),
    ]

    private func setTime(_ path: String, _ time: timespec) throws {
      let times = [time, time]
      try retryingOnInterrupt("utimensat \(path)") { utimensat(AT_FDCWD, path, times, 0) }
    }

    /// S110: whatever date a disk has, everybody sees it, through copies and a restart, and it
    /// stops nobody; what is put into a folder of the greatest date is there.
    @Test func anyDateOfADiskIsTheDateThatEverybodySees() throws {
      try withFixture { fixture in
        // A file system that holds every date: others move some of them to the nearest that they
        // hold.
        let disk = fixture.newPath("disk")
        try Files.makeFolder(disk)
        try retryingOnInterrupt("mount tmpfs") { mount("tmpfs", disk, "tmpfs", 0, nil) }
        fixture.atEnd { _ = umount2(disk, Int32(MNT_DETACH)) }
        let (host, hub) = try fixture.host(own: disk + "/own")
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for (name, time) in Self.dates {
          try Files.write(host.mount + "/" + name, "x")
          try setTime(host.mount + "/" + name, time)
          try Files.makeFolder(host.mount + "/folder, " + name)
          try setTime(host.mount + "/folder, " + name, time)
          // Once more, past the mount.
          try Files.write(disk + "/own/by hand, " + name, "x")
          try setTime(disk + "/own/by hand, " + name, time)
        }
        func agree() throws {
          for (name, time) in Self.dates {
            for name in [name, "by hand, " + name] {
              let real = try Stat(path: disk + "/own/" + name).mtime
              #expect(real == time, "\(name) is what the disk was given")
              for side in [host, guest] {
                try eventually("\(side.name) sees the date of \(name)") {
                  (try? Stat(path: side.mount + "/" + name).mtime) == real
                }
              }
            }
          }
        }
        try agree()
        for (name, _) in Self.dates {
          try Files.write(host.mount + "/folder, \(name)/child", "x")
          try eventually("the child in the folder of \(name) is there") {
            Files.exists(guest.mount + "/folder, \(name)/child")
          }
        }
        // A copy keeps them; a second rsync has nothing to do.
        let copy = disk + "/copy"
        try fixture.run(["cp", "-a", guest.mount, copy]).succeeded()
        for (name, time) in Self.dates {
          #expect(try Stat(path: copy + "/" + name).mtime == time)
        }
        #expect(try host.leave() == .exit(0))
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try agree()
      }
    }
  }
}
