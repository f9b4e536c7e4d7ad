import Control
import Glibc
import System
import Testing

extension Commands {
  /// How `fsharectl` shows an invite; what is in it is somebody else's answer.
  @Suite struct InviteCommand {
    private static let link =
      "fsharefs://192.0.2.7:7420/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8/"
      + "tn54FeioZocxGrpFLhsts_blK5RV46q2v54V3tLRtEo"

    /// Answers `invite` as a `fsharefs` does, and passes on what was asked.
    private func answering(
      _ fixture: Fixture,
      _ body: (_ state: String, _ asked: Locked<[ControlRequest]>) throws -> Void
    ) throws {
      let state = fixture.newPath("state")
      let asked = Locked<[ControlRequest]>([])
      let server = ControlServer(
        stateFolder: state,
        answeringWith: { request in
          asked.withLock { $0.append(request) }
          return .report(
            InviteReport(link: Self.link, addresses: ["192.0.2.7", "10.0.0.1\u{1B}[2J"]))
        })
      try server.start()
      defer { server.stop() }
      try body(state, asked)
    }

    @Test func aScriptGetsTheLinkAlone() throws {
      try withFixture { fixture in
        try answering(fixture) { state, asked in
          let plain = try fixture.run(Programs.control, "invite", "--state", state).succeeded()
          #expect(plain.text == Self.link + "\n")
          #expect(plain.errors.isEmpty)
          let json = try fixture.run(
            Programs.control, "invite", "--address", "hub:9", "--json", "--state", state)
          let value = try json.succeeded().text
          #expect(value.contains("\"link\" : \"\(Self.link)\"") && value.contains("\"addresses\""))
          #expect(json.errors.isEmpty)
          #expect(asked.withLock { $0 }.map(\.arguments) == [[], ["hub:9"]])
        }
      }
    }

    @Test func aPersonGetsTheCodeToo() throws {
      try withFixture { fixture in
        try answering(fixture) { state, _ in
          let terminal = try Terminal()
          let invite = try RunningProcess(
            [Programs.control, "invite", "--state", state], output: terminal.path,
            errors: fixture.newPath("invite") + ".log")
          try eventually("the link is shown") { terminal.text.contains(Self.link) }
          #expect(try invite.wait() == .exit(0))
          let lines = terminal.text.split(separator: "\r\n")
          let code = lines.filter { $0.hasPrefix("\u{1B}[38;5;16;48;5;231m") }
          // A code of version 6 has 41 modules; with the margin 49, two to a line.
          #expect(code.count == 25)
          // The upper corners' marks.
          #expect(code[2].contains("█▀▀▀▀▀█ ") && code[3].contains("█ ███ █ "))
        }
      }
    }
  }
}
