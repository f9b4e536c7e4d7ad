import Control
import Glibc
import Hostile
import System
import Testing

extension Commands {
  /// S120: who never saw it reads on the screen what to type next.
  @Suite struct FirstContact {
    @Test func eachStepIsNamedOnTheScreenBefore() throws {
      try withFixture { fixture in
        let alice = try Person("alice", fixture)
        let host = ["--host", "--listen", "127.0.0.1:0", "--own", alice.home + "/pictures"]
        #expect(try alice.types([Programs.fsharefs] + host + [alice.share]) == .exit(66))
        let making = "mkdir -p \(alice.share)"
        #expect(alice.screen.text.contains(making), "\(alice.screen.text)")
        #expect(try alice.types(["sh", "-c", making]) == .exit(0))
        #expect(try alice.types([Programs.fsharefs] + host + [alice.share]) == .exit(0))
        var screen = alice.screen.text
        #expect(screen.contains("mounted on \(alice.share)"), "\(screen)")
        #expect(screen.contains("to let them in: fsharectl watch"))
        #expect(screen.contains("to leave: fsharectl leave \(alice.share)"))
        // The invite as a picture too, for a telephone's camera.
        #expect(screen.contains("█") && screen.contains("▀"))
        let link = try #require(Self.link(in: screen))
        // Where its hub can be reached, and nowhere else.
        #expect(link.hasPrefix("fsharefs://127.0.0.1:"))

        let bob = try Person("bob", fixture)
        #expect(try bob.types(["mkdir", bob.share]) == .exit(0))
        let joining = try bob.begins([Programs.fsharefs, link, bob.share])
        let words = try eventuallySome("he sees his words") { Self.words(in: bob.screen.text) }

        // What her screen named.
        let watch = try alice.begins([Programs.control, "watch"], answering: true)
        try eventually("she sees the same words") { alice.screen.text.contains(words) }
        try alice.screen.type("a")
        #expect(try joining.wait() == .exit(0))
        screen = bob.screen.text
        #expect(screen.contains("mounted on \(bob.share): 2 online, 0 entries"), "\(screen)")
        #expect(screen.contains("to leave: fsharectl leave \(bob.share)"))
        watch.kill(SIGTERM)
        _ = try watch.wait()

        try Files.write(alice.share + "/letter", "dear Bob")
        try fixture.waitFor(bob.share + "/letter", "dear Bob")
        #expect(try bob.types([Programs.control, "leave", bob.share]) == .exit(0))
        #expect(!MountPoint.isLive(bob.share))
      }
    }

    /// The founder comes back by the mountpoint alone, and with whatever else was said.
    @Test func whoBeganComesBackByTheMountpointAlone() throws {
      try withFixture { fixture in
        let alice = try Person("alice", fixture)
        try Files.makeFolder(alice.share)
        let begin = [
          "--host", "--listen", "127.0.0.1:0", "--own", alice.home + "/pictures", "--name", "desk",
          "-o", "timeout=7",
        ]
        #expect(try alice.types([Programs.fsharefs] + begin + [alice.share]) == .exit(0))
        try Files.write(alice.share + "/photo", "a photo")
        #expect(try alice.types([Programs.control, "leave"]) == .exit(0))

        #expect(try alice.types([Programs.fsharefs, alice.share]) == .exit(0))
        #expect(alice.screen.text.contains("as at the last start: --host"), "\(alice.screen.text)")
        #expect(try Files.text(alice.share + "/photo") == "a photo")
        var status = try alice.status()
        #expect(status.role == .host && status.name == "desk")
        #expect(status.source(of: "host") == nil && status.source(of: "role") == .kept)
        #expect(status.value(of: "timeout") == "7" && status.source(of: "timeout") == .kept)
        #expect(status.ownFolder == alice.home + "/pictures")

        // What is typed takes the place of what was kept; --fresh forgets the rest.
        #expect(try alice.types([Programs.control, "leave"]) == .exit(0))
        let other = ["-o", "timeout=8", alice.share]
        #expect(try alice.types([Programs.fsharefs] + other) == .exit(0))
        status = try alice.status()
        #expect(status.role == .host && status.value(of: "timeout") == "8")
        #expect(status.source(of: "timeout") == .option)
        #expect(try alice.types([Programs.control, "leave"]) == .exit(0))
        let fresh = ["--fresh", "--host", "--listen", "127.0.0.1:0", alice.share]
        #expect(try alice.types([Programs.fsharefs] + fresh) == .exit(0))
        status = try alice.status()
        #expect(status.value(of: "timeout") == "30" && status.source(of: "timeout") == .default)
        #expect(status.ownFolder == alice.home + "/.local/share/fsharefs/own")
      }
    }

    /// Command line, environment, the three files, the last start: each goes before the next.
    @Test func eachPlaceOfSettingsGoesBeforeTheNext() throws {
      try withFixture { fixture in
        let alice = try Person("alice", fixture)
        try Files.makeFolder(alice.share)
        let start = [Programs.fsharefs, "--host", "--listen", "127.0.0.1:0", "-o", "max_files=3"]
        #expect(try alice.types(start + ["-o", "memory=31", alice.share]) == .exit(0))
        #expect(try alice.types([Programs.control, "leave"]) == .exit(0))
        try File.makeDirectories(alice.home + "/.config/fsharefs", mode: 0o755)
        try Files.write(
          alice.home + "/.config/fsharefs/config.toml",
          "memory = 32\nack_timeout = 32\ntimeout = 32\ncache = \"~/cache\"\n")
        try Files.write(
          alice.home + "/.local/state/fsharefs/config.toml", "ack_timeout = 33\ntimeout = 33\n")
        let again = try alice.types(
          [Programs.fsharefs, "--listen", "127.0.0.1:0", alice.share],
          environment: ["FSHAREFS_TIMEOUT": "34"])
        #expect(again == .exit(0), "\(alice.screen.text)")
        let status = try alice.status()
        for (name, value, source) in [
          ("listen", "127.0.0.1:0", StatusReport.Setting.Source.option),
          ("timeout", "34", .environment),
          ("ack_timeout", "33", .configuration), ("memory", "32", .configuration),
          ("cache", alice.home + "/cache", .configuration), ("max_files", "3", .kept),
          ("bulk-tls", "no", .default),
        ] {
          #expect(status.value(of: name) == value && status.source(of: name) == source, "\(name)")
        }
        let shown = try alice.output([Programs.control, "status", "--all"])
        #expect(shown.contains("timeout") && shown.contains("environment"), "\(shown)")

        // What cannot be is named with its place.
        let left = try alice.types([Programs.control, "leave"])
        #expect(left == .exit(0), "\(alice.screen.text)")
        try Files.write(alice.home + "/.config/fsharefs/config.toml", "memroy = 32\n")
        #expect(try alice.types([Programs.fsharefs, alice.share]) == .exit(64))
        #expect(alice.screen.text.contains("did you mean 'memory'"), "\(alice.screen.text)")
        for help in ["--help", "--help-all", "--version"] {
          #expect(try alice.types([Programs.fsharefs, help]) == .exit(0), "\(help)")
        }
      }
    }

    @Test func aHostsNewNameReachesTheMembers() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(name: "before")
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        #expect(try host.leave() == .exit(0))
        try host.start(["--host", "--listen", hub, "--name", "after"])
        try host.waits(for: .live)
        try eventually("the guest sees it") {
          try guest.members().contains { $0.name == "after" && $0.state == .approved }
        }
      }
    }

    @Test func anotherServicesPortIsCalledThat() throws {
      try withFixture { fixture in
        let alice = try Person("alice", fixture)
        try Files.makeFolder(alice.share)
        let server = try FalseHub(fixture) { socket in
          try socket.send(Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8))
          _ = socket.isClosedByPeer(within: .seconds(2))
        }
        #expect(try alice.types([Programs.fsharefs, server.address, alice.share]) == .exit(76))
        #expect(
          alice.screen.text.contains("\(server.address) does not speak TLS"), "\(alice.screen.text)"
        )
        // Addresses as sshfs and scp have them.
        for place in ["me@\(server.address)", "me@host:/srv", "host:/srv/files"] {
          #expect(try alice.types([Programs.fsharefs, place, alice.share]) == .exit(64))
          #expect(alice.screen.text.contains("this is not sshfs"), "\(alice.screen.text)")
        }
      }
    }

    @Test func aPortInUseIsSaidWithWhoUsesIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let alice = try Person("alice", fixture)
        try Files.makeFolder(alice.share)
        let second = [Programs.fsharefs, "--host", "--listen", hub, alice.share]
        #expect(try alice.types(second) == .exit(1))
        let complaint = "is in use by fsharefs (process \(host.process.pid))"
        #expect(alice.screen.text.contains(complaint), "\(alice.screen.text)")
        #expect(try alice.types([Programs.hub, "--listen", hub]) == .exit(1))
        #expect(alice.screen.text.ranges(of: complaint).count == 2, "\(alice.screen.text)")
      }
    }

    /// Not after the patience for a hub that is silent.
    @Test func aNameThatThereIsNotIsSaidAtOnce() throws {
      try withFixture { fixture in
        let namespace = try MountNamespace(fixture)
        let mountpoint = try namespace.mountpoint("share")
        let state = fixture.newPath("state")
        // Asked of no name server: this machine's word is enough.
        let command = try namespace.shell(
          """
          echo 'hosts: files' > "$2.nss" && mount --bind "$2.nss" /etc/nsswitch.conf
          exec timeout 8 "$1" --state "$2" nobody.invalid "$3"
          """, Programs.fsharefs, state, mountpoint)
        #expect(command.ending == .exit(69))
        #expect(
          command.errors.contains("there is no machine of the name 'nobody.invalid'"),
          "\(command.errors)")
      }
    }

    @Test func whoWasPutOutIsToldWhomToAsk() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let id = try guest.publicID()
        try fixture.control(host, "disapprove", "\(id)").succeeded()
        try guest.waits(for: .disapproved)
        let text = try fixture.control(guest, "status").succeeded().text
        #expect(text.contains("has put this device out: ask whoever runs it"), "\(text)")
        #expect(try guest.leave() == .exit(0))
        try guest.start([hub])
        #expect(try guest.process.wait() == .exit(77))
        #expect(try Files.text(guest.log).contains("to let it in again: fsharectl approve \(id)"))
      }
    }

    /// Whom nobody has let in is not told who is there.
    @Test func aNewcomerIsNotToldThatTheMasterIsAway() throws {
      try withFixture { fixture in
        let (_, hub) = try fixture.host()
        let guest = try fixture.waitingMember("guest", of: hub)
        let text = try fixture.control(guest, "status").succeeded().text
        #expect(
          text.contains("has not let this device in yet") && !text.contains("away"), "\(text)")
      }
    }

    @Test(arguments: [Programs.fsharefs, Programs.hub])
    func theHelpHasWhatEverybodyNeedsFirst(program: String) throws {
      try withFixture { fixture in
        let serve = program == Programs.hub ? ["serve"] : []
        let short = try fixture.run([program] + serve + ["--help"]).succeeded().text
        let all = try fixture.run([program] + serve + ["--help-all"]).succeeded().text
        #expect(!short.contains("--max-rate") && short.contains("--help-all"), "\(short)")
        #expect(all.contains("--max-rate <number>"), "\(all)")
        for option in ["--listen", "--state", "--metrics", "--grace"] {
          #expect(short.contains(option) && all.contains(option))
        }
        guard serve.isEmpty else { return }
        let everybodys = try #require(short.firstRange(of: "MOUNT OPTIONS")).lowerBound
        let hubs = try #require(short.firstRange(of: "HUB AND MASTER OPTIONS")).lowerBound
        #expect(everybodys < hubs)
      }
    }

    private static func link(in screen: String) -> String? {
      guard let start = screen.firstRange(of: "join with: fsharefs ")?.upperBound else {
        return nil
      }
      return String(screen[start...].prefix { $0 != " " })
    }

    private static func words(in screen: String) -> String? {
      guard let start = screen.firstRange(of: "--words \"")?.upperBound else { return nil }
      let words = screen[start...].prefix { $0 != "\"" }
      return words.split(separator: " ").count == 6 ? String(words) : nil
    }
  }
}

/// Somebody at a terminal of 80 columns, with a home of their own.
private final class Person {
  let home: String
  let screen: Terminal
  private let fixture: Fixture

  /// Where they mount.
  var share: String { home + "/share" }

  init(_ name: String, _ fixture: Fixture) throws {
    self.fixture = fixture
    home = fixture.newPath(name)
    try Files.makeFolder(home)
    screen = try Terminal(columns: 80, rows: 50)
  }

  /// Types a command, and waits for its end.
  func types(_ words: [String], environment: [String: String] = [:]) throws -> Ending {
    try begins(words, environment: environment).wait()
  }

  /// Types a command. `answering`: it reads from the terminal.
  func begins(
    _ words: [String], answering: Bool = false, environment: [String: String] = [:]
  ) throws -> RunningProcess {
    let reading = ["sh", "-c", "exec \"$@\" < \(screen.path)", "sh"]
    let process = try RunningProcess(
      (answering ? reading : []) + words, output: screen.path, errors: screen.path,
      environment: own.merging(environment) { $1 })
    _ = fixture.watch(process)
    return process
  }

  /// What a command prints that does not go to the terminal.
  func output(_ words: [String]) throws -> String {
    try fixture.run(words, environment: own).succeeded().text
  }

  /// What `fsharectl status` says of the one mount.
  func status() throws -> StatusReport {
    let response = try ControlClient.call(
      stateFolder: home + "/.local/state/fsharefs", request: ControlRequest(command: "status"),
      timeout: .seconds(10))
    return try #require(response.result).decode(as: StatusReport.self)
  }

  private var own: [String: String] {
    ["HOME": home, "FSHAREFS_RUNNING": home + "/running", "TERM": "xterm"]
  }
}

extension StatusReport {
  fileprivate func value(of name: String) -> String? {
    settings.first { $0.name == name }?.value
  }

  fileprivate func source(of name: String) -> Setting.Source? {
    settings.first { $0.name == name }?.source
  }
}
