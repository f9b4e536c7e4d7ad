import Control
import Glibc
import System
import Testing

extension Commands {
  /// `fsharectl` as a tool: what it prints where, for a person and for a program.
  @Suite struct ControlTool {
    private static let commands = [
      "status", "members", "approve", "disapprove", "watch", "invite", "name", "share", "unshare",
      "shares", "pause", "resume", "transfers", "why", "check", "doctor", "leave",
    ]

    @Test func everyCommandHasAVersionAndHelpWithAnExample() throws {
      try withFixture { fixture in
        let version = try fixture.run(Programs.control, "--version").succeeded().text
        #expect(version == ProgramVersion.text + "\n")
        for words in [[]] + Self.commands.map({ [$0] }) {
          let own = try fixture.run([Programs.control] + words + ["--version"]).succeeded()
          #expect(own.text == version, "\(words)")
          let help = try fixture.run([Programs.control] + words + ["--help"]).succeeded()
          #expect(help.text.contains("Example") && help.text.contains("fsharectl"), "\(words)")
          #expect(help.errors.isEmpty)
        }
        let all = try fixture.run(Programs.control, "--help").succeeded().text
        for command in Self.commands { #expect(all.contains("  \(command)"), "\(command)") }
      }
    }

    @Test func anUnknownCommandSuggestsTheOneThatWasMeant() throws {
      try withFixture { fixture in
        for words in [["statsu"], ["--state", "/nowhere", "statsu", "--json"]] {
          let wrong = try fixture.run([Programs.control] + words)
          #expect(wrong.ending == .exit(64) && wrong.output.isEmpty)
          #expect(
            wrong.errors
              == "fsharectl: unknown command 'statsu': did you mean 'status'? "
              + "(fsharectl --help lists all)\n")
        }
        let strange = try fixture.run(Programs.control, "x\u{1B}[2J")
        #expect(strange.ending == .exit(64) && !strange.errors.contains("\u{1B}"))
        let option = try fixture.run(Programs.control, "status", "--jsno")
        #expect(option.ending == .exit(64) && option.errors.contains("--json"))
      }
    }

    /// What `fsharectl` shows on a terminal of some width.
    private func shown(
      _ fixture: Fixture, columns: UInt16, _ daemon: Daemon, _ words: [String],
      environment: [String: String] = [:]
    ) throws -> [String] {
      let terminal = try Terminal(columns: columns, rows: 24)
      let process = try RunningProcess(
        [Programs.control] + words + ["--state", daemon.state], output: terminal.path,
        errors: fixture.newPath("shown") + ".log",
        environment: environment.merging(["TERM": "xterm"]) { one, _ in one })
      _ = fixture.watch(process)
      // A terminal holds only so much that nobody takes.
      var text = ""
      _ = try eventuallySome("it ends") { () -> Ending? in
        text = terminal.text
        return process.ended
      }
      text = terminal.text
      return text.split(separator: "\r\n").map(String.init)
    }

    private func plain(_ line: String) -> String {
      line.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "")
    }

    @Test(arguments: [40, 80, 132] as [UInt16])
    func nothingIsWiderThanTheTerminal(columns: UInt16) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member(
          "日本語-gæst-with-a-long-name", of: hub, approvedBy: host)
        let long = String(repeating: "wide 語 ", count: 20)
        try Files.write(guest.path(long), "x")
        try fixture.waitFor(host.path(long))
        for words in [
          ["status"], ["status", "--all"], ["members"], ["members", "--all"], ["shares"],
          ["why", long], ["transfers", "--once"], ["doctor"],
        ] {
          let lines = try shown(fixture, columns: columns, host, words)
          #expect(!lines.isEmpty)
          for line in lines {
            #expect(DisplayWidth.of(plain(line)) <= Int(columns), "\(words): \(line)")
          }
        }
        let members = try shown(fixture, columns: columns, host, ["members"]).map(plain)
        let words = try guest.status().words
        #expect(members.flatMap { $0.split(separator: " ") }.joined(separator: " ").contains(words))
      }
    }

    @Test func coloursAreForTerminalsWhoseUserWantsThem() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let words = ["members"]
        #expect(try shown(fixture, columns: 80, host, words).joined().contains("\u{1B}[32monline"))
        for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
          let lines = try shown(fixture, columns: 80, host, words, environment: environment)
          #expect(!lines.joined().contains("\u{1B}"))
        }
        let piped = try fixture.control(host, "members").succeeded()
        #expect(!piped.text.contains("\u{1B}") && piped.errors.isEmpty)
      }
    }

    @Test func membersAreTheSameOnEveryMachine() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(name: "desk")
        let anna = try fixture.member("anna", of: hub, approvedBy: host)
        let bert = try fixture.member("bert", of: hub, approvedBy: host)
        struct Line: Equatable {
          let id: UInt32
          let name: String
          let state: MemberReport.State
          /// Of who is out the hub tells the master only.
          let presence: MemberReport.Presence?
          let isMaster: Bool
          let words: String?
        }
        func lines(_ daemon: Daemon) throws -> [Line] {
          try daemon.members().map {
            Line(
              id: $0.publicID, name: $0.name, state: $0.state,
              presence: $0.state == .approved ? $0.presence : nil,
              isMaster: $0.isMaster, words: $0.words)
          }
        }
        try eventually("all say the same") {
          let seen = try lines(host)
          return try seen.map(\.name) == ["desk", "anna", "bert"] && lines(anna) == seen
            && lines(bert) == seen
        }
        #expect(try lines(host).allSatisfy { $0.words?.split(separator: " ").count == 6 })
        try fixture.control(host, "name", "tower").succeeded()
        try fixture.control(host, "disapprove", "bert").succeeded()
        try bert.waits(for: .disapproved)
        try eventually("it is the same again") {
          let seen = try lines(host)
          return try seen.map(\.name) == ["tower", "anna", "bert"] && lines(anna) == seen
        }
        let own = try #require(try bert.members().first { $0.isSelf })
        #expect(own.state == .disapproved && own.name == "bert")
        // A name that is given at a start is told, too.
        #expect(try anna.leave() == .exit(0))
        let process = try RunningProcess(
          [
            Programs.fsharefs, "-f", "--nowait", "--name", "ann", "--state", anna.state, "--own",
            anna.own, anna.mount,
          ], output: anna.log, errors: anna.log)
        _ = fixture.watch(process)
        try eventually("the new name is everybody's") {
          try lines(host).map(\.name).contains("ann") && lines(anna) == lines(host)
        }
        process.kill(SIGTERM)
        #expect(try process.wait() == .exit(0))
      }
    }

    @Test func manySmallFilesAreOneLine() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("many"))
        for number in 0..<60 { try Files.write(host.path("many/\(number)"), "file \(number)") }
        try fixture.waitFor(guest.path("many/59"))
        try fixture.run("cp", "-r", guest.path("many"), fixture.newPath("copy")).succeeded()
        let text = try fixture.control(host, "transfers", "--once").succeeded().text
        #expect(text.contains(" small files in many/: uploading for the group"))
        #expect(text.split(separator: "\n").count == 1)
      }
    }
  }
}
