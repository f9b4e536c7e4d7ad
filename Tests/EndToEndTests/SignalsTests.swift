import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S106: signals end the programs in every phase, and a daemon belongs to the command that waits
  /// for it.
  @Suite struct SignalsInEveryPhase {
    /// ^C at the terminal, or a `kill -9`, of the command that waits for approval: nothing mounts
    /// days later.
    @Test(arguments: [SIGINT, SIGKILL, SIGTERM])
    func theDaemonDiesWithTheCommandThatWaits(signal: Int32) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let (command, words) = try start(fixture, [hub])
        try eventually("it waits for approval") {
          try text(of: words).contains("waiting for approval")
        }
        let daemons = Watchdog.processes(naming: words.folder).filter { $0 != command.pid }
        #expect(daemons.count == 1)
        command.kill(signal)
        #expect(try command.wait(within: .seconds(5)) == .signal(signal))
        try eventually("its daemon is gone") {
          Watchdog.processes(naming: words.folder).isEmpty
        }
        #expect(!MountPoint.isLive(words.mount))
        // It has left, as at any other end.
        try eventually("the group has heard so") {
          try host.members().allSatisfy { $0.isSelf || $0.presence == .gone }
        }
      }
    }

    /// A command that is stopped takes nothing from the pipe; the daemon goes on, and the command
    /// returns once it may.
    @Test func aStoppedCommandDoesNotStopTheDaemon() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let (command, words) = try start(fixture, [hub])
        try eventually("it waits for approval") {
          try text(of: words).contains("waiting for approval")
        }
        command.kill(SIGSTOP)
        try fixture.control(host, "approve", "1", "--yes").succeeded()
        try eventually("the mount is live") { MountPoint.isLive(words.mount) }
        command.kill(SIGCONT)
        #expect(try command.wait(within: .seconds(5)) == .exit(0))
        try ends(words)
      }
    }

    /// Once the command has returned, the daemon is nobody's; `--nowait` too.
    @Test(arguments: [true, false]) func aDaemonWhoseStartIsCompleteLivesOn(waits: Bool) throws {
      try withFixture { fixture in
        let hub = waits ? [] : [try fixture.host().hub]
        let role = waits ? ["--host", "--listen", "127.0.0.1:0"] : ["--nowait"]
        let (command, words) = try start(fixture, role + hub)
        #expect(try command.wait() == .exit(0))
        try throughout("it is mounted", .seconds(1)) {
          MountPoint.isLive(words.mount) && !Watchdog.processes(naming: words.folder).isEmpty
        }
        try ends(words)
      }
    }

    /// A large own folder is compared before the mount: that is given up at once.
    @Test func aSignalEndsTheFirstLookAtTheOwnFolder() throws {
      try withFixture { fixture in
        let daemon = try Daemon("host", fixture)
        for folder in 0..<100 {
          let path = "\(daemon.own)/\(folder)"
          try File.makeDirectories(path, mode: 0o755)
          for file in 0..<100 { try Files.close(Files.open("\(path)/\(file)", O_CREAT), path) }
        }
        try daemon.start(["--host", "--listen", "127.0.0.1:0"])
        try lookUntil("the hub listens") {
          (try? Files.text(daemon.log))?.contains("hub listens on") == true
        }
        #expect(!Files.exists(daemon.state + "/control.sock"), "it is busy with its own folder")
        daemon.process.kill(SIGINT)
        let (ending, time) = try timed { try daemon.process.wait(within: .seconds(10)) }
        #expect(ending == .exit(0))
        #expect(time < .seconds(2))
        #expect(!MountPoint.isLive(daemon.mount))
        // What was cut short does no harm.
        try daemon.start(["--host", "--listen", "127.0.0.1:0"])
        try daemon.waits(for: .live)
        try daemon.lists(10_100)
      }
    }

    /// S108: a core dump would have the keys in it.
    @Test func noProgramLeavesACore() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        for pid in [hub.process.pid, master.process.pid] {
          let limits = try Files.text("/proc/\(pid)/limits")
          let line = try #require(limits.split(separator: "\n").first { $0.contains("core") })
          // Not 0: a program that core_pattern names would be handed the memory all the same.
          #expect(line.split(separator: " ").suffix(3) == ["1", "1", "bytes"])
        }
        master.process.kill(SIGABRT)
        #expect(try master.process.wait(within: .seconds(10)) == .signal(SIGABRT))
        // The runtime's backtrace would show what registers point at.
        #expect(!(try Files.text(master.log).contains("Registers")))
        for folder in ["/", master.state, master.own] {
          #expect(!(try Files.list(folder).contains { $0.hasPrefix("core") }))
        }
      }
    }

    private struct Words {
      let folder: String
      let mount: String
      let output: String
    }

    /// Starts `fsharefs` as a person does, without `-f`. All its folders are in one of their own.
    private func start(
      _ fixture: Fixture, _ words: [String]
    ) throws -> (RunningProcess, Words) {
      let folder = try fixture.newFolder("person")
      let mount = folder + "/mount"
      try Files.makeFolder(mount)
      let output = fixture.newPath("person") + ".log"
      let command = try RunningProcess(
        [Programs.fsharefs, "--state", folder + "/state", "--own", folder + "/own"] + words
          + [mount], output: output, errors: output)
      _ = fixture.watch(command)
      return (command, Words(folder: folder, mount: mount, output: output))
    }

    private func text(of words: Words) throws -> String { try Files.text(words.output) }

    /// A signal ends the daemon in order.
    private func ends(_ words: Words) throws {
      for pid in Watchdog.processes(naming: words.folder) { _ = kill(pid, SIGTERM) }
      try eventually("the daemon has ended") { Watchdog.processes(naming: words.folder).isEmpty }
      #expect(!MountPoint.isLive(words.mount))
    }
  }
}
