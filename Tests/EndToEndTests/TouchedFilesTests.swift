import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Own files of which, past the mount, nothing but the time of change becomes another; and those
  /// that have two names.
  @Suite struct TouchedFiles {
    private static let size = 1_000_000

    /// S77: a link that is made or removed, and an attribute that is set, disturb nobody who reads.
    @Test func whoReadsAFileThatIsTouchedReadsOn() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let bytes = Samples.bytes(Self.size)
        let own = guest.own + "/file"
        try Files.write(own, bytes)
        try fixture.waitFor(host.path("file"))
        let opened = try Files.open(host.path("file"), O_RDONLY)
        defer { _ = close(opened) }
        let identity = try Stat(descriptor: opened).ino
        let touches = [
          "ln \"$1\" \"$1.link\"", "rm \"$1.link\"", "setfattr -n user.note -v x \"$1\"",
          "chmod 640 \"$1\"",
          "chmod 644 \"$1\"; ln \"$1\" \"$1.other\"", "rm \"$1.other\"; chown 0:0 \"$1\"",
        ]
        for (number, touch) in touches.enumerated() {
          guard try fixture.shell("command -v \(touch.prefix { $0 != " " })").ending == .exit(0)
          else {
            print("skipped: \(touch)")
            continue
          }
          try fixture.shell(touch, own).succeeded()
          // From the end to the front, so that nothing was read ahead.
          let offset = Self.size - (number + 1) * 150_000
          #expect(
            try part(opened, offset, 4_096) == Array(bytes[offset..<(offset + 4_096)]), "\(touch)")
        }
        #expect(try Files.read(host.path("file")) == bytes)
        #expect(try Stat(path: host.path("file")).ino == identity)
      }
    }

    /// S77: a file that was written and has its time back is another version for whoever has
    /// anything of it, never a mixture; where nothing of it was sent, it is read as it is.
    @Test func aTimeThatWasSetBackHidesNothing() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        let (before, after) = (Samples.bytes(Self.size), [UInt8](repeating: 7, count: Self.size))
        for name in ["read", "unread"] {
          try Files.write(guest.own + "/" + name, before)
          try fixture.waitFor(host.path(name))
        }
        let opened = try ["read", "unread"].map { try Files.open(host.path($0), O_RDONLY) }
        defer { for one in opened { _ = close(one) } }
        #expect(try part(opened[0], Self.size - 4_096, 4_096) == Array(before.suffix(4_096)))
        for name in ["read", "unread"] {
          try fixture.shell(
            """
            touch -r "$1" "$2.time"; head -c \(Self.size) /dev/zero | tr '\\0' '\\7' > "$2.new"
            dd if="$2.new" of="$1" conv=notrunc status=none bs=1M; touch -r "$2.time" "$1"
            """, guest.own + "/" + name, fixture.newPath("aside")
          ).succeeded()
        }
        // Whoever has some of it gets no more; whoever has none of it gets what is there.
        let code = Files.errorOf { _ = try part(opened[0], 0, 4_096) }
        #expect(code == ESTALE)
        // Had it been looked at between the writing and the setting back, it is another one too.
        var seen: [UInt8]?
        let other = Files.errorOf { seen = try part(opened[1], 0, Self.size) }
        #expect(seen == after || other == ESTALE)
        for name in ["read", "unread"] {
          try eventually("\(name) is read as it is now") {
            try Files.read(host.path(name)) == after
          }
        }
      }
    }

    /// S78: two names of one file in the own folder show the same, at once, whichever is written.
    @Test func twoNamesOfOneFileShowTheSame() throws {
      try withFixture { fixture in
        let (host, guest) = try pair(fixture)
        try Files.write(guest.path("one"), "first")
        #expect(Glibc.link(guest.own + "/one", guest.own + "/two") == 0)
        try fixture.waitFor(guest.path("two"), "first")
        try fixture.waitFor(host.path("two"), "first")
        // Both are in the kernel's memory by now.
        for number in 0..<20 {
          let (written, read) = number.isMultiple(of: 2) ? ("one", "two") : ("two", "one")
          let text = String(repeating: "\(number) ", count: 1 + number)
          try Files.write(guest.path(written), text, flags: O_TRUNC)
          #expect(try Stat(path: guest.path(read)).size == Int64(text.utf8.count))
          #expect(try Files.text(guest.path(read)) == text)
        }
        let last = try Files.text(guest.path("one"))
        for name in ["one", "two"] { try fixture.waitFor(host.path(name), last) }
        try Files.write(guest.own + "/two", "by hand")
        for name in ["one", "two"] {
          try fixture.waitFor(guest.path(name), "by hand")
          try fixture.waitFor(host.path(name), "by hand")
        }
        try Files.unlink(guest.path("one"))
        try Files.write(guest.path("two"), "alone", flags: O_TRUNC)
        try fixture.waitFor(host.path("two"), "alone")
        #expect(try Files.list(host.mount) == ["two"])
      }
    }

    private func pair(_ fixture: Fixture) throws -> (host: Daemon, guest: Daemon) {
      let (host, hub) = try fixture.host()
      return (host, try fixture.member("guest", of: hub, approvedBy: host))
    }

    private func part(_ file: Int32, _ offset: Int, _ count: Int) throws -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      var done = 0
      while done < count {
        let start = done
        let got = try retryingOnInterrupt("read") {
          bytes.withUnsafeMutableBytes {
            pread(file, $0.baseAddress! + start, count - start, off_t(offset + start))
          }
        }
        if got == 0 { break }
        done += got
      }
      return Array(bytes.prefix(done))
    }
  }
}
