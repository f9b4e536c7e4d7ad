import Glibc
import System
import Testing

extension Commands {
  /// What people are told to type does what they are told it does.
  @Suite(.enabled(if: geteuid() == 0, "only root can make machines of namespaces"))
  struct Handbook {
    @Test(arguments: [
      "tutorial", "how-to-team-server", "how-to-hub-by-itself", "how-to-laptop",
      "how-to-photo-archive",
      "how-to-build-farm", "how-to-backup", "how-to-move-the-master", "troubleshooting",
    ])
    func `every command of a page goes well`(page: String) throws {
      let tests = File.folder(of: File.folder(of: #filePath))
      try withFixture { fixture in
        try fixture.run(
          [
            "python3", "\(tests)/Handbook/run", Programs.folder,
            "\(File.folder(of: tests))/docs/\(page).md",
          ], within: .seconds(180)
        ).succeeded()
      }
    }
  }
}

extension Commands {
  /// What the programs say of themselves elsewhere: in manuals and to shells.
  @Suite struct Manuals {
    /// The manual of each program, and the words of `--help`.
    @Test(arguments: ["fsharefs.1", "fsharectl.1", "fshare-hub.8"])
    func `a manual has every option and command of its program`(manual: String) throws {
      let root = File.folder(of: File.folder(of: File.folder(of: #filePath)))
      let text = try Files.text("\(root)/share/man/\(manual)")
      let program = "\(Programs.folder)/\(manual.split(separator: ".")[0])"
      try withFixture { fixture in
        let help = try fixture.run(program, "--help").succeeded().text
        let commands = subcommands(in: help)
        for command in commands {
          #expect(text.contains(".It Cm \(command)\n") || text.contains("Cm \(command)"))
        }
        let helps = try [help] + commands.map { try fixture.run(program, "help", $0).text }
        for option in Set(helps.flatMap(options)) {
          #expect(text.contains("Fl \\-\(option)"), "--\(option)")
        }
      }
    }

    /// bash runs what is between `$(` and `)` in the words that it is given to choose from.
    @Test func `a name that a shell would run is completed by its number`() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.waitingMember("guest", of: hub)
        let id = try guest.publicID()
        _ = try fixture.waitingMember("$(touch${IFS}ran)", of: hub)
        let offered = try fixture.shell(
          """
          cd "$1" && FSHAREFS_STATE="$2" PATH="$3:$PATH" exec bash -c '
            . <(fsharectl --generate-completion-script bash)
            COMP_WORDS=(fsharectl approve "") COMP_CWORD=2
            COMP_LINE="fsharectl approve " COMP_POINT=18
            _fsharectl fsharectl "" approve
            printf "%s\\n" "${COMPREPLY[@]}"'
          """, try fixture.newFolder("here"), host.state, Programs.folder
        ).succeeded().text.split(separator: "\n")
        #expect(offered.contains("guest"))
        #expect(offered.contains("\(id)"))
        #expect(!offered.contains { $0.contains("touch") } && offered.count >= 3)
        let ran = try fixture.shell("find \"$1\" -name ran", fixture.folder).text
        #expect(ran.isEmpty)
      }
    }

    /// The first words of the lines below SUBCOMMANDS.
    private func subcommands(in help: String) -> [String] {
      let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.drop { !$0.hasPrefix("SUBCOMMANDS") }.dropFirst().prefix { $0.hasPrefix("  ") }
        .filter { !$0.hasPrefix("   ") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    /// The names of the options of which a line begins with one.
    private func options(in help: String) -> [String] {
      help.split(separator: "\n").filter { $0.hasPrefix("  -") }.flatMap { line in
        line.split(whereSeparator: { " ,/".contains($0) }).filter { $0.hasPrefix("--") }.map {
          String($0.dropFirst(2).prefix { $0.isLetter || $0 == "-" })
        }
      }
    }
  }
}
