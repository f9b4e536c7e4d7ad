import Control
import Glibc
import System
import Testing

extension Commands {
  /// What whoever looks after a machine sees of the programs, and asks of them.
  @Suite struct Operating {
    /// One line for each event that matters, with its time; no names in the hub's log.
    @Test func theLogsSayWhoCameWasApprovedAndLeft() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        let guest = try fixture.member("guest-of-honour", of: hub.address, approvedBy: master)
        let other = try fixture.member("somebody", of: hub.address, approvedBy: master)
        #expect(try guest.leave() == .exit(0))
        try fixture.control(master, "disapprove", "2").succeeded()
        func has(_ log: String, _ words: String) throws {
          try eventually("\(log) says '\(words)'") { try Files.text(log).contains(words) }
        }
        for words in [
          "the master joined: approved", "client 1 joined: waiting",
          "client 1 was approved by the master", "client 1 left",
          "client 2 was disapproved by the master",
        ] { try has(hub.log, words) }
        for words in [
          "client 1 registered: waiting",
          "client 1 (guest-of-honour) was approved by user \(getuid())",
          "member 1 is gone", "client 2 (somebody) was disapproved by user \(getuid())",
        ] { try has(master.log, words) }
        try has(other.log, "member 1 is gone name=guest-of-honour")
        let text = try Files.text(hub.log)
        #expect(!text.contains("guest") && !text.contains("somebody"))
        for line in text.split(separator: "\n") where !line.hasPrefix("fshare-hub: ") {
          // 2026-11-21T07:31:05.042+01:00 fshare-hub[123] notice: …
          let words = line.split(separator: " ", maxSplits: 3)
          let isTime = words[0].utf8.count == 29 && words[0].contains("T")
          #expect(words.count == 4 && isTime, "\(line)")
          #expect(words[1].hasPrefix("fshare-hub[") && words[2].hasSuffix(":"), "\(line)")
        }
      }
    }

    /// S106: SIGHUP never ends a mount; the log is opened again under its name.
    @Test func aHangUpReadsTheSettingsAgain() throws {
      try withFixture { fixture in
        let state = fixture.newPath("state")
        let mount = try fixture.newFolder("mount")
        let output = fixture.newPath("start") + ".log"
        let command = try RunningProcess(
          [
            Programs.fsharefs, "--host", "--listen", "127.0.0.1:0", "--state", state, "--own",
            fixture.newPath("own"), mount,
          ], output: output, errors: output)
        _ = fixture.watch(command)
        #expect(try command.wait() == .exit(0))
        let daemons = Watchdog.processes(naming: fixture.folder)
        let daemon = try #require(daemons.first)
        let log = state + "/log"
        try Files.rename(log, log + ".old")
        try Files.write(state + "/config.toml", "log-level = \"debug\"\nmax-rate = 100\n")
        #expect(kill(daemon, SIGHUP) == 0)
        try eventually("the new log is written, from a lower level on") {
          let text = try Files.text(log)
          return text.contains("the settings were read again")
        }
        try Files.write(mount + "/file", "still there")
        try fixture.run([Programs.control, "status", "--state", state]).succeeded()
        try eventually("what is for debugging is logged") {
          try Files.text(log).contains("debug: control request")
        }
        // What cannot be changes nothing.
        try Files.write(state + "/config.toml", "max-rate = \"none\"\n")
        #expect(kill(daemon, SIGHUP) == 0)
        try eventually("the line is named") {
          try Files.text(log).contains("\(state)/config.toml: max-rate none")
        }
        #expect(try Files.text(mount + "/file") == "still there")
        #expect(MountPoint.isLive(mount))
        for pid in daemons { _ = kill(pid, SIGTERM) }
        try eventually("it has ended") { Watchdog.processes(naming: fixture.folder).isEmpty }
      }
    }

    /// A hub alone: the log file, the limits and the certificate.
    @Test func aHubGoesOnWithOtherSettings() throws {
      try withFixture { fixture in
        let log = fixture.newPath("hub-own") + ".log"
        let hub = try fixture.hub(["--log-file", log])
        let master = try fixture.master(hub)
        try Files.rename(log, log + ".1")
        try Files.write(hub.state + "/config.toml", "max-connections = 9\nlog-level = \"debug\"\n")
        _ = unlink((hub.state + "/tls-cert.pem").cPath)
        hub.process.kill(SIGHUP)
        try eventually("the log begins again") {
          try Files.text(log).contains("the settings were read again")
        }
        #expect(Files.exists(hub.state + "/tls-cert.pem"))
        // Whoever knows the key comes in as before.
        let guest = try fixture.member("guest", of: hub.address, approvedBy: master)
        #expect(try guest.status().hubConnected)
        try eventually("what is for debugging is logged") {
          try Files.text(log).contains(" debug: ")
        }
        // A pipe in the file's place is named, not waited for.
        let settings = hub.state + "/config.toml"
        #expect(unlink(settings.cPath) == 0 && mkfifo(settings.cPath, 0o600) == 0)
        hub.process.kill(SIGHUP)
        try eventually("the pipe is named") {
          try Files.text(log).contains("not all settings were read again: \(settings)")
        }
        #expect(unlink(settings.cPath) == 0)
        // Another key would be another hub.
        let other = try fixture.hub()
        for name in ["tls-cert.pem", "tls-key.pem"] {
          try Files.write("\(hub.state)/\(name)", Files.read("\(other.state)/\(name)"))
        }
        hub.process.kill(SIGHUP)
        try eventually("the key is refused") { try Files.text(log).contains("is another key") }
        #expect(try guest.status().hubConnected)
      }
    }

    /// Who names a log that cannot be is told so, and not left without one.
    @Test func aLogThatCannotBeIsRefused() throws {
      try withFixture { fixture in
        let pipe = fixture.newPath("pipe")
        #expect(mkfifo(pipe.cPath, 0o600) == 0)
        for log in [pipe, fixture.folder, fixture.newPath("missing") + "/log"] {
          let hub = try fixture.run([
            Programs.hub, "--listen", "127.0.0.1:0", "--state", fixture.newPath("hub-state"),
            "--log-file", log,
          ])
          #expect(hub.ending == .exit(73) && hub.errors.contains(log))
        }
      }
    }

    /// `/healthz` says whether a program is well, `/metrics` counts; neither names anybody.
    @Test func programsSayHowTheyDo() throws {
      try withFixture { fixture in
        // The hub counts what passes it: all of it is to pass.
        fixture.hasLines = false
        let hub = try fixture.hub(["--metrics", "127.0.0.1:0"])
        let master = try fixture.master(hub, ["--metrics", "0"])
        let guest = try fixture.waitingMember(
          "guest-of-honour", of: hub.address, ["--metrics", "127.0.0.1:0"])
        let places = try [hub.log, master.log, guest.log].map { try place(in: $0) }
        #expect(try ask(fixture, places[2], "healthz") == "503 waiting for approval\n")
        #expect(try ask(fixture, places[0], "healthz") == "200 ok\n")
        #expect(try ask(fixture, places[1], "healthz") == "200 ok\n")
        try fixture.control(master, "approve", "1", "--yes").succeeded()
        try guest.waits(for: .live)
        #expect(try ask(fixture, places[2], "healthz") == "200 ok\n")
        try Files.write(master.path("secret-name"), Samples.bytes(300_000, seed: 1))
        try fixture.waitFor(guest.path("secret-name"))
        #expect(try Files.read(guest.path("secret-name")).count == 300_000)
        try eventually("the hub has counted") {
          let page = try metrics(fixture, places[0])
          // One by one: as one expression the compiler takes minutes over it.
          for (name, least) in [
            ("fshare_hub_clients{state=\"online\"}", 1.0), ("fshare_hub_master_online", 1),
            ("fshare_hub_leaves_kept", 3), ("fshare_hub_registry_writable", 1),
            ("fshare_hub_relayed_bytes_total{direction=\"up\"}", 300_001),
            ("fshare_hub_relayed_bytes_total{direction=\"down\"}", 300_001),
          ] as [(String, Double)] {
            let value: Double = page[name] ?? -1
            if value < least { throw NeverHappened(description: "\(name) is \(value)") }
          }
          return true
        }
        let reader = try metrics(fixture, places[2])
        #expect(reader["fsharefs_mounted"] == 1 && reader["fsharefs_hub_connected"] == 1)
        #expect((reader["fsharefs_read_bytes_total"] ?? 0) >= 300_000)
        #expect(reader["fsharefs_received_bytes_total"] == 300_000)
        #expect(reader["fsharefs_direct_bytes_total"] == 0)
        #expect(reader["fsharefs_list_entries"] == 1)
        let owner = try metrics(fixture, places[1])
        #expect(owner["fsharefs_sent_bytes_total"] == 300_000)
        #expect((owner["fsharefs_changes_acked_total"] ?? 0) >= 1)
        #expect(owner["fsharefs_master_clients{state=\"approved\"}"] == 1)
        #expect(owner["fsharefs_master_journal_writable"] == 1)
        for place in places {
          let page = try ask(fixture, place, "metrics")
          #expect(page.contains("# HELP ") && page.contains("# TYPE "))
          for name in ["guest", "secret", "127.0.0.1"] { #expect(!page.contains(name)) }
        }
        try hub.crash()
        try eventually("the member says what is wrong") {
          try ask(fixture, places[2], "healthz") == "503 not connected to the hub\n"
        }
        try eventually("the master says so too") {
          try ask(fixture, places[1], "healthz") == "503 the master is not connected to the hub\n"
        }
      }
    }

    /// A hub whose folder is gone says so, before there is anything to write.
    @Test func aHubWithoutARegistryIsNotWell() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--metrics", "0"])
        let place = try place(in: hub.log)
        #expect(try ask(fixture, place, "healthz") == "200 ok\n")
        #expect(unlink((hub.state + "/registry").cPath) == 0)
        #expect(try ask(fixture, place, "healthz").hasPrefix("503 registry: "))
      }
    }

    /// The service manager hears READY, then of progress; of a reload, and of the end. A program
    /// whose loops are stopped says nothing any more.
    @Test func theServiceManagerHearsOfProgress() throws {
      try withFixture { fixture in
        let socket = fixture.newPath("notify")
        let words = fixture.newPath("words")
        let listener = try RunningProcess(
          ["python3", "-c", Self.listener, socket, words], output: "/dev/null",
          errors: fixture.newPath("listener") + ".log")
        _ = fixture.watch(listener)
        fixture.atEnd { listener.kill(SIGKILL) }
        try fixture.waitFor(socket)
        let daemon = try Daemon("host", fixture)
        try daemon.start(
          ["--host", "--listen", "127.0.0.1:0"],
          through: ["env", "NOTIFY_SOCKET=\(socket)", "WATCHDOG_USEC=400000"])
        try daemon.waits(for: .live)
        func heard(_ word: String) throws -> Int {
          try Files.text(words).split(separator: "\n").count { $0 == word }
        }
        try eventually("progress is told") { try heard("WATCHDOG=1") > 5 && heard("READY=1") == 1 }
        daemon.process.kill(SIGHUP)
        try eventually("the reload is told") {
          try heard("RELOADING=1") == 1 && heard("READY=1") == 2
        }
        #expect(try daemon.leave() == .exit(0))
        try eventually("the end is told") { try heard("STOPPING=1") == 1 }
      }
    }

    private static let listener = """
      import os, socket, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      out = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
      s.bind(sys.argv[1])
      while True: os.write(out, s.recv(4096) + b"\\n")
      """

    /// The address in the line that a program writes at its start.
    private func place(in log: String) throws -> String {
      try eventuallySome("\(log) says where the metrics are") {
        let text = try Files.text(log)
        guard let start = text.firstRange(of: "metrics are at ")?.upperBound,
          let end = text[start...].firstRange(of: "/metrics")?.lowerBound
        else { return nil }
        return String(text[start..<end])
      }
    }

    /// What is answered: status and content.
    private func ask(_ fixture: Fixture, _ place: String, _ path: String) throws -> String {
      let script = """
        import sys, urllib.request, urllib.error
        try: answer = urllib.request.urlopen(sys.argv[1])
        except urllib.error.HTTPError as error: answer = error
        sys.stdout.write(str(answer.status) + " " + answer.read().decode())
        """
      return try fixture.run(["python3", "-c", script, "\(place)/\(path)"]).succeeded().text
    }

    private func metrics(_ fixture: Fixture, _ place: String) throws -> [String: Double] {
      var values: [String: Double] = [:]
      for line in try ask(fixture, place, "metrics").split(separator: "\n") where line.first != "#"
      {
        let words = line.split(separator: " ")
        if words.count == 2 { values[String(words[0])] = Double(words[1]) }
      }
      return values
    }
  }
}
