import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// The hub's limits, as its options set them.
  @Suite struct HubLimits {
    @Test(arguments: [
      ["--max-connections", "0"], ["--max-waiting", "-1"], ["--max-queue", "0"],
      ["--max-requests", "63"], ["--max-rate", "1"], ["--handshake-seconds", "0"],
      ["--handshake-seconds", "many"],
    ])
    func aLimitThatMakesNoSense(words: [String]) throws {
      try withFixture { fixture in
        for program in [
          [Programs.hub, "--state", fixture.newPath("hub")],
          [
            Programs.fsharefs, "-f", "--host", "--state", fixture.newPath("state"),
            try fixture.newFolder("mount"),
          ],
        ] {
          let joined = words.joined(separator: "=")
          #expect(try fixture.run(program + [joined]).ending == .exit(64))
        }
      }
    }

    @Test func limitsAreSettings() throws {
      try withFixture { fixture in
        // No other option than those below.
        fixture.hasLines = true
        let (host, _) = try fixture.host(["--max-waiting", "7", "--handshake-seconds", "3"])
        let settings = try host.status().settings
        func value(_ name: String) -> String? { settings.first { $0.name == name }?.value }
        #expect(value("max-waiting") == "7" && value("handshake-seconds") == "3")
        #expect(value("max-connections") == "4096" && value("max-queue") == "32")
        #expect(value("max-requests") == "4096" && value("max-rate") == "50000")
        #expect(
          settings.filter { $0.source == .option }.map(\.name)
            == ["role", "listen", "own", "state", "name", "max-waiting", "handshake-seconds"])
      }
    }

    @Test func whoDoesNotRegisterInTimeIsToldSo() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--handshake-seconds", "1"])
        let peer = try RegisteredPeer(to: hub.address)
        let (messages, time) = timed { peer.receiveToTheEnd() }
        guard case .refused(let refused)? = messages.last else {
          throw NeverHappened(description: "it hears \(messages)")
        }
        #expect(refused.code == .protocolError && refused.reason == "no registration in time")
        #expect(time > .milliseconds(900) && time < .seconds(5))
      }
    }

    @Test func oneRequestTooManyIsPutOff() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--max-requests", "64"])
        let (_, asker, owner) = try readers(hub)
        func request(_ first: UInt64, _ count: UInt32) -> ChunkRequest {
          ChunkRequest(
            owner: owner.publicID, entry: RandomID(high: 1, low: 1),
            version: RandomID(high: 1, low: 2), scale: Limits.leafScale, generation: 0,
            first: first, count: count, pastCache: false)
        }
        // 16 MiB of credit are asked of the owner at once; what is beyond it counts as wanted.
        for run in 0..<3 as Range<UInt64> { try asker.send(.requestChunk(request(run * 64, 64))) }
        let late = request(192, 64)
        try asker.send(.requestChunk(late))
        let answers = try asker.receive { $0.opcode == .chunkFailed }
        #expect(
          answers.last == .chunkFailed(ChunkFailure(late, reason: .busy, retryAfter: 100)))
      }
    }

    /// The soft limit of open files is raised to the hard one, and the hub stays below it.
    @Test func theHubFitsIntoItsOpenFiles() throws {
      try withFixture { fixture in
        let (state, log) = (fixture.newPath("hub"), fixture.newPath("log"))
        let script =
          "ulimit -Sn 300; ulimit -Hn 400; exec \"$0\" --listen 127.0.0.1:0 --state \"$1\""
        let hub = try RunningProcess(
          ["sh", "-c", script, Programs.hub, state], output: log, errors: log)
        _ = fixture.watch(hub)
        try eventually("the hub listens") { try Files.text(log).contains("listening on") }
        #expect(try Files.text(log).contains("at most 144 connections, and 72 clients"))
        let limits = try String(
          decoding: File.readAll("/proc/\(hub.pid)/limits", limit: 65_536), as: UTF8.self)
        #expect(limits.contains(/Max open files +400 +400/))
      }
    }

    @Test func aConnectionTooManyIsClosed() throws {
      try withFixture { fixture in
        let hub = try fixture.hub(["--max-connections", "8"])
        let master = try RegisteredPeer(to: hub.address).registerAsMaster(claim: hub.claim())
        let peers = try (0..<7).map { _ in try RegisteredPeer(to: hub.address).registerAsClient() }
        #expect(try Socket.connected(to: hub.address).isClosedByPeer())
        try peers[0].send(.leave)
        #expect(peers[0].receiveToTheEnd().isEmpty)
        try eventually("there is room again") {
          try RegisteredPeer(to: hub.address).registerAsClient().publicID == PublicID(8)
        }
        #expect(try master.receive { $0.opcode == .newClientRegistered }.count > 0)
      }
    }

    private func readers(
      _ hub: HubProcess
    ) throws -> (master: RegisteredPeer, asker: RegisteredPeer, owner: RegisteredPeer) {
      let master = try RegisteredPeer(to: hub.address).registerAsMaster(claim: hub.claim())
      let members = try (0..<2).map { _ in
        let member = try RegisteredPeer(to: hub.address).registerAsClient()
        try master.send(.approveClient(AuthorisationScene.decision(member.publicID)))
        try member.openDown(with: member.receive { $0.opcode == .bulkTickets })
        return member
      }
      return (master, members[0], members[1])
    }
  }
}
