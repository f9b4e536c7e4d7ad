import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// How a hub gets its master.
  @Suite struct Claim {
    private func show(_ fixture: Fixture, _ state: String) throws -> Command {
      try fixture.run(Programs.hub, "claim-code", "--state", state)
    }

    @Test func theClaimCodeMakesOneMaster() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let shown = try show(fixture, hub.state).succeeded()
        let code = shown.text.filter { !$0.isWhitespace }
        #expect(code.count == 29)
        #expect(try Stat(path: hub.claimFile).mode & 0o777 == 0o600)
        // Whoever types it may do so carelessly.
        let careless = String(
          code.lowercased().map { ["-": " ", "0": "o", "1": "l"][$0, default: $0] })
        let claim = fixture.newPath("claim")
        try Files.write(claim, " \(careless)\n")
        let master = try Daemon("master", fixture)
        try master.start(["--master", "--claim-file", claim, hub.address])
        try master.waits(for: .live)
        #expect(!Files.exists(hub.claimFile))
        let after = try show(fixture, hub.state)
        #expect(after.ending == .exit(1) && after.output.isEmpty && after.errorLines.count == 1)
        // The same code is good for nothing now.
        let other = try fixture.run([
          Programs.fsharefs, "-f", "--master", "--claim-file", claim, "--state",
          fixture.newPath("state"), hub.address, try fixture.newFolder("mount"),
        ])
        #expect(other.ending == .exit(77))
        // It is not needed either, by who is the master, whatever happens to the hub.
        try hub.crash()
        try hub.restart()
        try eventually("the master is back") { try master.status().hubConnected }
        #expect(!Files.exists(hub.claimFile))
        #expect(try !Files.text(hub.log).contains(code))
      }
    }

    @Test(arguments: [nil, "0000-0000-0000-0000-0000-0000", "nonsense"] as [String?])
    func withoutTheClaimCodeNobodyIsTheMaster(given: String?) throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        var words = [Programs.fsharefs, "-f", "--state", fixture.newPath("state"), "--master"]
        if let given {
          let claim = fixture.newPath("claim")
          try Files.write(claim, given)
          words += ["--claim-file", claim]
        }
        let refused = try fixture.run(words + [hub.address, try fixture.newFolder("mount")])
        #expect(refused.ending == .exit(77))
        #expect(refused.errorLines.last?.contains("claim code") == true)
        #expect(try show(fixture, hub.state).ending == .exit(0))
        try eventually("the hub says so") {
          try Files.text(hub.log).contains("refused: this hub has no master yet")
        }
      }
    }

    /// Whoever answers at first contact is not shown the code, nor anything that the real hub would
    /// take.
    @Test func aFalseHubLearnsNothingToClaimWith() throws {
      try withFixture { fixture in
        let real = try fixture.hub()
        let code = try real.claim()
        let shown = Locked<Register?>(nil)
        let hub = try FalseHub(fixture) { socket in
          try FalseHub.accept(socket)
          let challenge = [UInt8](repeating: 1, count: Hello.challengeLength)
          try FalseHub.send(
            .hello(Hello(challenge: challenge)),
            socket)
          guard case .masterAppRegister(let register) = try FalseHub.receive(socket) else { return }
          shown.withLock { $0 = register }
        }
        let master = try Daemon("master", fixture)
        try master.start([
          "--nowait", "--master", "--claim-file", real.claimFile, "ws://" + hub.address,
        ])
        let register = try eventuallySome("it registers") { shown.withLock { $0 } }
        #expect(register.claim.count == Register.claimLimit && register.claim != code)
        for claim in [register.claim, code, Array(try Files.text(real.claimFile).utf8).dropLast()] {
          let thief = try RegisteredPeer(to: real.address)
          let own = try thief.registration(asMaster: true)
          try thief.send(
            .masterAppRegister(
              Register(
                key: own.key, incarnation: own.incarnation, name: own.name, system: own.system,
                claim: Array(claim.prefix(Register.claimLimit)), proof: own.proof)))
          guard case .refused(let refused)? = thief.receiveToTheEnd().last else {
            throw NeverHappened(description: "the thief is not refused")
          }
          #expect(refused.code == .claimNeeded)
        }
        _ = try RegisteredPeer(to: real.address).registerAsMaster(claim: code)
      }
    }

    /// The code is the same at the next start, until somebody claims the hub.
    @Test func theClaimCodeIsKept() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let code = try show(fixture, hub.state).succeeded().text
        try hub.crash()
        try hub.restart()
        #expect(try show(fixture, hub.state).text == code)
        #expect(try Files.text(hub.log).contains("fshare-hub claim-code --state \(hub.state)"))
        #expect(try !Files.text(hub.log).contains(code.filter { !$0.isWhitespace }))
      }
    }

    @Test func whereThereIsNoHubThereIsNoCode() throws {
      try withFixture { fixture in
        let command = try show(fixture, fixture.newPath("nothing"))
        #expect(command.ending == .exit(73))
        #expect(command.errorLines.count == 1)
      }
    }

    /// `--host` needs no code, and no other device becomes the master of its hub.
    @Test func aHostIsTheMasterOfItsHub() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        #expect(!Files.exists(host.state + "/hub/claim-code"))
        let other = try fixture.run([
          Programs.fsharefs, "-f", "--master", "--state", fixture.newPath("state"), hub,
          try fixture.newFolder("mount"),
        ])
        #expect(other.ending == .exit(77))
        #expect(try host.leave() == .exit(0))
        // With another private id it is not the hub's master any more, and says so.
        try Files.unlink(host.state + "/key")
        let stranger = try fixture.run([
          Programs.fsharefs, "-f", "--host", "--listen", "127.0.0.1:0", "--state", host.state,
          "--own", host.own, host.mount,
        ])
        #expect(stranger.ending == .exit(77))
        #expect(stranger.errorLines.count == 1)
      }
    }
  }
}
