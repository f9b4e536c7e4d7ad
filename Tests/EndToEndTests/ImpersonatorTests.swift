import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// What a member makes of a hub that is not the real one: the last column of the table in
  /// docs/security.md. Under TLS it would not even get this far: `Trust`.
  @Suite struct Impersonator {
    @Test(arguments: try AuthorisationTable().impersonations)
    func aMemberDoesWhatTheTableSays(case: AuthorisationTable.Impersonation) throws {
      let (opcode, hearing) = (`case`.opcode, `case`.hearing)
      try withFixture { fixture in
        let real = try fixture.hub()
        let message = try AuthorisationScene(real, .approved).message(opcode)
        let seen = Locked<Hearing?>(nil)
        let hub = try FalseHub(fixture) { socket in
          try Self.register(socket)
          try FalseHub.send(message, socket)
          let limit: Duration = hearing == .closed ? patience : .milliseconds(400)
          let isClosed = socket.isClosedByPeer(within: limit)
          seen.withLock { $0 = $0 ?? (isClosed ? .closed : .heard) }
          socket.hangUp()
        }
        let guest = try Daemon("guest", fixture)
        try guest.start(["--nowait", "ws://" + hub.address])
        try eventually("the message was heard or refused") { seen.withLock { $0 } != nil }
        // REFUSED is a hub's last word: whoever gets it goes.
        if opcode == .refused {
          #expect(try guest.process.wait() == .exit(75))
          return
        }
        #expect(seen.withLock { $0 } == hearing)
        #expect(guest.process.ended == nil)
        #expect(try guest.status().entries == 0)
        #expect(Files.errorOf { _ = try Files.list(guest.mount) } == EHOSTDOWN)
      }
    }

    /// Lets a client in, as if it had always been one.
    private static func register(_ socket: Socket) throws {
      try FalseHub.accept(socket)
      let challenge = [UInt8](repeating: 1, count: Hello.challengeLength)
      try FalseHub.send(
        .hello(
          Hello(challenge: challenge)), socket)
      guard case .clientRegister = try FalseHub.receive(socket) else {
        throw NeverHappened(description: "the client does not register")
      }
      let ack = ClientRegisterAck(publicID: PublicID(1), admission: .approved)
      try FalseHub.send(.clientRegisterAck(ack), socket)
    }
  }
}
