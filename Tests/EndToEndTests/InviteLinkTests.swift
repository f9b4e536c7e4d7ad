import Control
import Glibc
import Protocol
import System
import Testing

extension EndToEnd {
  /// Starting with an invite, and with what is no longer safe.
  @Suite struct InviteLink {
    private static let pin = String(repeating: "A", count: 43)
    private static let master = String(repeating: "_", count: 42) + "8"

    private func fails(
      _ fixture: Fixture, _ code: Int32, _ words: [String], saying text: String,
      location: SourceLocation = #_sourceLocation
    ) throws {
      let command = try fixture.run([Programs.fsharefs] + words)
      #expect(command.ending == .exit(code), "\(command.errors)", sourceLocation: location)
      #expect(command.errorLines.count == 1, "\(command.errors)", sourceLocation: location)
      #expect(command.errors.contains(text), "\(command.errors)", sourceLocation: location)
    }

    @Test func whatIsNotAWholeLinkIsRefused() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        for link in ["fsharefs://", "fsharefs://127.0.0.1:7420/\(Self.pin)"] {
          try fails(fixture, 64, [link, mount], saying: "copy the whole link")
        }
      }
    }

    @Test func anInviteToAnotherGroupIsRefused() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let state = fixture.newPath("state")
        try File.makeDirectories(state, mode: 0o700)
        try File.writeAtomically(
          state + "/group", Array("hub 127.0.0.1:7420\npin \(Self.master)\n".utf8), mode: 0o600)
        let link = "fsharefs://127.0.0.1:7420/\(Self.pin)/\(Self.master)"
        try fails(
          fixture, 78, ["--state", state, link, mount], saying: "belongs to another group")
      }
    }

    @Test func aGarbledGroupIsRefusedByName() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let state = fixture.newPath("state")
        try File.makeDirectories(state, mode: 0o700)
        try File.writeAtomically(
          state + "/group", Array("hub 127.0.0.1:7420\npin x\n".utf8), mode: 0o600)
        try fails(fixture, 73, ["--state", state, mount], saying: state + "/group")
      }
    }

    @Test func plainConnectionsToOthersMustBeAskedFor() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let state = ["--state", fixture.newPath("state")]
        try fails(
          fixture, 64, state + ["ws://192.0.2.1:7420", mount], saying: "--insecure")
      }
    }

    @Test func whatOthersCanReadIsNotUsed() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let guest = try Daemon("guest", fixture)
        try guest.start(["--host", "--listen", "127.0.0.1:0"])
        try guest.waits(for: .live)
        #expect(try guest.leave() == .exit(0))
        #expect(try Stat(path: guest.state).permissions == 0o700)
        let words = ["--host", "--listen", "127.0.0.1:0", "--state", guest.state, mount]
        try Files.chmod(guest.state, 0o750)
        try fails(fixture, 73, words, saying: "chmod 700 \(guest.state)")
        try Files.chmod(guest.state, 0o700)
        try Files.chmod(guest.state + "/key", 0o640)
        let command = try fixture.run([Programs.fsharefs] + words)
        #expect(command.ending == .exit(73))
        #expect(command.errorLines.last?.hasSuffix("chmod 600 \(guest.state)/key") == true)
      }
    }
  }
}
