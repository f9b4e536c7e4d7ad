import Control
import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// Whatever a stranger sends to the hub's port ends that connection and nothing else.
  @Suite struct HostilePeers {
    enum Attack: String, CaseIterable {
      case unknownOpcode, truncated, trailing, oversized, hugeClaim, beforeRegistering, text
      case badProof, forgedMasterWord, junk, badHead, halfOpen, wrongTicket, otherPath
    }

    @Test(arguments: Attack.allCases) func anAttackEndsOnlyItself(attack: Attack) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("in use"), "before")
        try perform(attack, hub)
        try Files.write(host.path("in use"), "after")
        #expect(try Files.text(host.path("in use")) == "after")
        #expect(try host.status().state == .live)
        #expect(try host.status().hubConnected)
        #expect(try host.members().count == 1)
      }
    }

    /// With many connections half made, members still come and go.
    @Test func aCrowdOfHalfOpenConnectionsHoldsNobodyUp() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let crowd = try (0..<200).map { _ in try Socket.connected(to: hub) }
        for socket in crowd { try socket.send(Array("GET /control HT".utf8)) }
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("file"), "through")
        try fixture.waitFor(host.path("file"), "through")
        for socket in crowd { #expect(socket.isClosedByPeer()) }
      }
    }

    private func perform(_ attack: Attack, _ hub: String) throws {
      switch attack {
      case .junk, .badHead, .halfOpen, .wrongTicket, .otherPath: try performRaw(attack, hub)
      default: try performAsPeer(attack, hub)
      }
    }

    private func performAsPeer(_ attack: Attack, _ hub: String) throws {
      let peer = try WebSocketPeer(to: hub)
      let hello = try peer.receiveHello()
      let files = Message.addFiles(
        Proposal(
          transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: [1, 2, 3, 4]))
      switch attack {
      case .unknownOpcode: try peer.send([0xff, 0x7f, 1, 2, 3])
      case .truncated: try peer.send(Array(try files.encoded().dropLast(3)))
      case .trailing: try peer.send(try files.encoded() + [0])
      case .oversized:
        // The hub may well have closed before all of it is sent.
        try? peer.send([UInt8](repeating: 1, count: Limits.controlMessage + 1))
      case .hugeClaim: try peer.send([1, 2, 3], claiming: 1 << 62)
      case .beforeRegistering: try peer.send(files)
      case .text: try peer.send(Array("hello".utf8), kind: 1)
      case .badProof:
        try peer.send(.clientRegister(register(proof: hello.challenge + hello.challenge)))
      default:
        try peer.send(
          .approveClient(
            Decision(order: ListOrder(epoch: 1, seq: 1), publicID: PublicID(1), body: [])))
      }
      #expect(peer.socket.isClosedByPeer())
    }

    private func performRaw(_ attack: Attack, _ hub: String) throws {
      let socket = try Socket.connected(to: hub)
      let ticket = String(repeating: "ab", count: 32)
      switch attack {
      case .junk: try? socket.send(SecureRandom.bytes(100_000))
      case .badHead: try socket.send(Array("POST /control HTTP/9.9\r\n\r\n".utf8))
      case .halfOpen: try socket.send(Array("GET /con".utf8))
      case .wrongTicket:
        try socket.send(
          Array(
            "GET /bulk/down HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ticket)\r\n\r\n".utf8))
        #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 403"))
      default:
        try socket.send(Array("GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 404"))
      }
      #expect(socket.isClosedByPeer())
    }

    private func register(proof: [UInt8]) throws -> Register {
      let name = try #require(DeviceName("stranger"))
      return Register(
        key: DeviceKey(signing: SecureRandom.bytes(32), agreement: SecureRandom.bytes(32)),
        incarnation: 7, name: name, system: "none", claim: [], proof: proof)
    }
  }
}
