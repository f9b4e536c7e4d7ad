import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// State folders of the first program whose protocol and files were finished, as they lie in
  /// `Tests/Samples/state-2`: every later program goes on with them (S117). Their keys are
  /// nobody's.
  @Suite struct SampleState {
    /// The words of the sample's devices: who has another key is somebody else.
    private static let words = [
      "host": "inflict way visa tenant ring sword",
      "guest": "tonight tired best visa suspect march",
    ]

    private func sample(_ name: String, _ fixture: Fixture) throws -> Daemon {
      let root = (1...2).reduce(#filePath) { path, _ in File.folder(of: path) }
      let daemon = try Daemon(name, fixture)
      try fixture.run("cp", "-r", "\(root)/Samples/state-2/\(name)", daemon.state).succeeded()
      // A repository keeps no modes, and these are secrets elsewhere.
      try fixture.run("chmod", "-R", "go=,u=rwX", daemon.state).succeeded()
      try Files.makeFolder(daemon.own)
      return daemon
    }

    @Test func everyLaterProgramGoesOnWithIt() throws {
      try withFixture { fixture in
        let (host, guest) = (try sample("host", fixture), try sample("guest", fixture))
        for one in [host, guest] {
          try fixture.run(Programs.control, "check", "--state", one.state).succeeded()
        }
        // The journal has them; their owner is the host, whose own folder has them too.
        try Files.makeFolder(host.own + "/dir")
        try Files.write(host.own + "/from-host", "of the host\n")
        try Files.write(guest.own + "/from-guest", "of the guest\n")
        try host.start(["--host", "--listen", "127.0.0.1:0"])
        try host.waits(for: .live)
        // The guest is away, and what it had is listed.
        #expect(try Files.list(host.mount).sorted() == ["dir", "from-guest", "from-host"])
        let members = try host.members()
        #expect(members.first { $0.name == "guest" }?.state == .approved)
        #expect(members.first { $0.name == "former" }?.state == .disapproved)
        try guest.start(["ws://" + (try fixture.hubAddress(of: host))])
        try guest.waits(for: .live)
        // Nobody was asked.
        #expect(try guest.publicID() == 1)
        for one in [host, guest] { #expect(try one.status().words == Self.words[one.name]) }
        #expect(try Files.text(guest.path("from-host")) == "of the host\n")
        try eventually("the guest's file is read") {
          try Files.text(host.path("from-guest")) == "of the guest\n"
        }
      }
    }
  }
}
