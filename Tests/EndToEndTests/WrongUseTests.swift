import CLinux
import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Commands {
  /// Each wrong use is one line on stderr, that begins with the program's name, and its exit code.
  @Suite struct WrongUse {
    /// Runs `fsharefs` and checks how it fails.
    private func fails(
      _ fixture: Fixture, _ code: Int32, _ words: [String], within limit: Duration = .seconds(30),
      location: SourceLocation = #_sourceLocation
    ) throws {
      let state = words.contains("--state") ? [] : ["--state", fixture.newPath("state")]
      let own = words.contains("--own") ? [] : ["--own", fixture.newPath("own")]
      let command = try fixture.run(
        [Programs.fsharefs] + state + own + words, within: limit)
      #expect(command.ending == .exit(code), "\(command.errors)", sourceLocation: location)
      let lines = command.errorLines.filter { !$0.contains("hub listens on") }
      #expect(lines.count == 1, "\(command.errors)", sourceLocation: location)
      #expect(
        lines.last?.hasPrefix("fsharefs: ") == true, "\(command.errors)", sourceLocation: location)
    }

    private let host = ["--host", "--listen", "127.0.0.1:0"]

    @Test func aMountpointThatCannotBeOne() throws {
      try withFixture { fixture in
        try fails(fixture, 66, host + [fixture.newPath("missing")])
        let file = fixture.newPath("file")
        try Files.write(file, "x")
        try fails(fixture, 66, host + [file])
        let full = try fixture.newFolder("full")
        try Files.write(full + "/x", "x")
        try fails(fixture, 66, host + [full])
        let (running, _) = try fixture.host()
        try fails(fixture, 66, host + [running.mount])
        let own = try fixture.newFolder("own")
        try Files.makeFolder(own + "/inside")
        try fails(fixture, 66, host + ["--own", own, own + "/inside"])
        let outer = try fixture.newFolder("outer")
        try fails(fixture, 66, host + ["--own", outer + "/own", outer])
        let state = try fixture.newFolder("state")
        try Files.chmod(state, 0o700)
        try Files.makeFolder(state + "/inside")
        try fails(fixture, 66, host + ["--state", state, state + "/inside"])
        #expect(MountPoint.all(below: fixture.folder) == [running.mount])
      }
    }

    @Test(arguments: [[], ["--master"]]) func aHubThatCannotBeReached(role: [String]) throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let nowhere = try Socket.listening().address()
        try fails(fixture, 69, role + [nowhere, mount])
      }
    }

    @Test(arguments: ["garbage", "SSH", "404", "closes"])
    func whatAnswersIsNotAHub(kind: String) throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let server = try FalseHub(fixture) { socket in
          switch kind {
          case "garbage": try socket.send(Samples.bytes(3000, seed: 2))
          case "SSH": try socket.send(Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8))
          case "404":
            _ = try socket.receiveHead()
            try socket.send(Array("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".utf8))
          default: socket.hangUp()
          }
          _ = socket.isClosedByPeer(within: .seconds(2))
        }
        // Under TLS nobody asks such a server for anything that it could answer with a 404.
        let address = kind == "404" ? "ws://" + server.address : server.address
        try fails(fixture, kind == "closes" ? 69 : 76, [address, mount])
      }
    }

    @Test(arguments: ["version 999", "no HELLO", "text"])
    func aHubThatSpeaksAnotherProtocol(kind: String) throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let server = try FalseHub(fixture) { socket in
          try FalseHub.accept(socket)
          let hello = Hello(
            versions: ProtocolVersions(lowest: 998, highest: 999)!,
            challenge: SecureRandom.bytes(32))
          let payload =
            kind == "version 999" ? try Message.hello(hello).encoded() : Array("hello you".utf8)
          try socket.send([kind == "text" ? 0x81 : 0x82, UInt8(payload.count)] + payload)
          _ = socket.isClosedByPeer(within: .seconds(5))
        }
        try fails(fixture, 76, ["ws://" + server.address, mount])
      }
    }

    @Test func wrongWords() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let long = String(repeating: "n", count: 65)
        try fails(fixture, 64, host + ["--name", long, mount])
        try fails(fixture, 64, host + ["--name", "a/b", mount])
        try fails(fixture, 64, host + ["-o", "rot", mount])
        try fails(fixture, 64, host + ["-o", "timeout=soon", mount])
        try fails(fixture, 64, ["not an address:x:y", mount])
        // Nobody's hub is remembered yet.
        try fails(fixture, 64, [mount])
        for words in [["--no-such-option", mount], [], ["a", "b", "c"]] {
          let command = try fixture.run([Programs.fsharefs] + words)
          #expect(command.ending == .exit(64))
        }
      }
    }

    @Test func foldersThatCannotBeUsed() throws {
      try withFixture { fixture in
        let mount = try fixture.newFolder("mount")
        let file = fixture.newPath("file")
        try Files.write(file, "x")
        try fails(fixture, 73, host + ["--own", file, mount])
        try fails(fixture, 73, host + ["--own", file + "/below", mount])
        try fails(fixture, 73, host + ["--state", file, mount])
        let (running, _) = try fixture.host()
        try fails(fixture, 73, host + ["--state", running.state, mount])
        try fails(fixture, 73, host + ["--own", running.own, mount])
        #expect(try running.status().state == .live)
      }
    }

    @Test func aSecondMasterWithAnotherKey() throws {
      try withFixture { fixture in
        let (_, hub) = try fixture.host()
        try fails(fixture, 77, ["--master", "ws://" + hub, try fixture.newFolder("mount")])
      }
    }

    /// Copying a state folder copies the private id: the later process has it, the earlier ends.
    @Test func aSecondProcessWithTheSamePrivateID() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let id = try guest.publicID()
        let state = try fixture.newFolder("state-copy")
        try Files.chmod(state, 0o700)
        try fixture.run("cp", guest.state + "/key", state + "/key").succeeded()
        let second = try Daemon("second", fixture, state: state)
        try second.start(["--nowait", hub])
        try second.waits(for: .live)
        #expect(try second.publicID() == id)
        #expect(try guest.process.wait() == .exit(75))
        // Both are told.
        #expect(try Files.text(guest.log).contains("another process with the same private id"))
        #expect(try Files.text(second.log).contains("was running; it has been ended"))
        #expect(!MountPoint.isLive(guest.mount))
      }
    }

    @Test func aControlCommandWithNothingToControl() throws {
      try withFixture { fixture in
        let command = try fixture.run([Programs.control, "status", "--state", fixture.folder])
        #expect(command.ending == .exit(69))
        #expect(command.errorLines.count == 1)
      }
    }
  }
}
