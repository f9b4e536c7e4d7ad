import Control
import Glibc
import System
import Testing

extension Commands {
  /// Members that read from each other, each in a network of its own.
  @Suite struct Direct {
    private static let size = 3_000_000

    /// The address of the line to another member, by its number; nil where there is none.
    private func line(_ daemon: Daemon, to other: Daemon) throws -> String? {
      let id = try other.publicID()
      return try daemon.members().first { $0.publicID == id }?.line
    }

    /// Has a member read something of another, so that it wants a line.
    private func read(_ fixture: Fixture, _ owner: Daemon, _ reader: Daemon, _ name: String) throws
    {
      let bytes = Samples.bytes(Self.size)
      try Files.write(owner.path(name), bytes)
      try fixture.waitFor(reader.path(name))
      #expect(try Files.read(reader.path(name)) == bytes, "\(name)")
    }

    private func why(_ fixture: Fixture, _ reader: Daemon, _ name: String) throws -> String {
      try fixture.control(reader, "why", name).succeeded().text
    }

    @Test func acrossARouterTheyReadFromEachOtherUntilOneIsPutOut() throws {
      try withFixture { fixture in
        let networks = try RoutedNetworks(fixture, members: 2)
        let (host, members) = try networks.group([[], []])
        let (owner, reader) = (members[0], members[1])
        try read(fixture, owner, reader, "first")
        try eventually("a line stands") { try line(reader, to: owner) != nil }
        #expect(try line(reader, to: owner)?.hasPrefix("10.77.1.2:") == true)
        try read(fixture, owner, reader, "second")
        #expect(try why(fixture, reader, "second").contains("by a line: direct, 10.77.1.2:"))
        let status = try reader.status()
        #expect(status.lines >= 1 && status.linePort != nil)
        // The other way it is the same line.
        try read(fixture, reader, owner, "third")
        #expect(try why(fixture, owner, "third").contains("by a line: direct"))

        try fixture.control(host, "disapprove", "\(reader.publicID())").succeeded()
        try eventually("the line has ended") { try owner.status().lines == 0 }
      }
    }

    @Test func whereOneWayIsClosedAnotherIsFound() throws {
      try withFixture { fixture in
        let networks = try RoutedNetworks(fixture, members: 2)
        let (_, members) = try networks.group([[], []])
        let (owner, reader) = (members[0], members[1])
        // A firewall that drops, one that refuses.
        try networks.ip(2, "route add blackhole 10.77.1.2/32")
        try networks.ip(2, "-6 route add prohibit fd77:1::2/128")
        try read(fixture, owner, reader, "first")
        try eventually("it is known that there is no way", within: .seconds(40)) {
          try why(fixture, reader, "first").contains("through the hub (no line: 10.77.1.2:")
        }
        try read(fixture, owner, reader, "second")
        // It has another address by now, and is dialled at once.
        try networks.ip(1, "addr add fd77:1::3/64 dev eth0 nodad")
        try eventually("a line stands", within: .seconds(30)) {
          try line(reader, to: owner) != nil
        }
        #expect(try line(reader, to: owner)?.contains("fd77:1::3") == true)
        try read(fixture, owner, reader, "third")
        #expect(try why(fixture, reader, "third").contains("by a line: direct"))
      }
    }

    @Test func whoCannotBeDialledDials() throws {
      try withFixture { fixture in
        let networks = try RoutedNetworks(fixture, members: 2)
        let (_, members) = try networks.group([["--direct-listen", "127.0.0.1:0"], []])
        let (owner, reader) = (members[0], members[1])
        try read(fixture, owner, reader, "first")
        try eventually("a line stands", within: .seconds(30)) {
          try line(reader, to: owner) != nil
        }
        try read(fixture, owner, reader, "second")
        #expect(try why(fixture, reader, "second").contains("by a line: direct, 10.77.1.2"))
      }
    }

    @Test func aLineThatIsCutInTheMiddleIsNoErrorToAnybody() throws {
      try withFixture { fixture in
        let networks = try RoutedNetworks(fixture, members: 2)
        let (_, members) = try networks.group([["-o", "up=6M"], []])
        let (owner, reader) = (members[0], members[1])
        try read(fixture, owner, reader, "first")
        try eventually("a line stands") { try line(reader, to: owner) != nil }
        let bytes = Samples.bytes(24_000_000)
        try Files.write(owner.path("film"), bytes)
        try fixture.waitFor(reader.path("film"))
        let file = OwnedDescriptor(try Files.open(reader.path("film"), O_RDONLY))
        var seen = [UInt8](repeating: 0, count: bytes.count)
        var got = 0
        while got < seen.count {
          let count = try seen.withUnsafeMutableBytes { buffer in
            try retryingOnInterrupt("read") {
              Glibc.read(file.raw, buffer.baseAddress! + got, min(1 << 20, buffer.count - got))
            }
          }
          try #require(count > 0)
          let before = got
          got += count
          if before < 4_000_000, got >= 4_000_000 {
            #expect(try why(fixture, reader, "film").contains("by a line: direct"))
            try networks.ip(2, "route add blackhole 10.77.1.2/32")
            try networks.ip(1, "route add blackhole 10.77.2.2/32")
          }
        }
        #expect(seen == bytes)
        #expect(try why(fixture, reader, "film").contains("through the hub"))
      }
    }
  }
}
