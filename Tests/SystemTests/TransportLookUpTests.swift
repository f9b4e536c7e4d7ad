import Glibc
import Protocol
import System
import Testing
import Transport

/// Looking up the hub's name, which may take for ever.
@Suite("Names are looked up beside the link", .timeLimit(.minutes(5)))
struct TransportLookUpTests {
  @Test("a look-up that never returns stops neither the link's timers nor its end")
  func endlessLookUp() throws {
    let asked = Monitor(0)
    let isOver = Monitor(false)
    defer { isOver.update { $0 = true } }
    var limits = TransportLimits()
    limits.connectTime = .milliseconds(200)
    let member = try LookingUp(port: 1, limits) { _ in
      asked.update { $0 += 1 }
      _ = isOver.wait { $0 ? true : nil }
      return .failed("too late")
    }
    member.link.connect()
    #expect(asked.wait(timeout: patience) { $0 > 0 ? true : nil } == true)
    member.link.perform { member.link.setTimer(after: .milliseconds(20)) }
    #expect(member.wait { $0.timers > 0 })
    #expect(member.wait { $0.failures.count == 1 })
    guard case .unreachable(let why)? = member.seen.withLock({ $0.failures.first }) else {
      return #expect(Bool(false), "it is said why")
    }
    #expect(why.contains("name servers do not answer"))
    // The next try waits for the same answer.
    member.link.connect()
    #expect(member.wait { $0.failures.count == 2 })
    #expect(asked.withLock { $0 } == 1)
    member.link.stop()
  }

  @Test("an answer that comes late serves who asks again")
  func lateAnswer() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    let isOver = Monitor(false)
    var limits = TransportLimits()
    limits.connectTime = .milliseconds(200)
    let member = try LookingUp(port: hub.server.port, limits) { _ in
      _ = isOver.wait { $0 ? true : nil }
      return .found(["127.0.0.1"])
    }
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { $0.failures.count == 1 })
    isOver.update { $0 = true }
    member.link.connect()
    #expect(member.wait { $0.opened == 1 })
  }

  @Test("every address of a name is tried")
  func severalAddresses() throws {
    let hub = try TestHub()
    defer { hub.server.stop() }
    // Nothing listens at the other loopback addresses.
    let member = try LookingUp(port: hub.server.port, TransportLimits()) { _ in
      .found(["::1", "127.0.0.9", "127.0.0.1"])
    }
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { $0.opened == 1 })
    let tickets = [UInt8](repeating: 1, count: 32)
    member.link.openBulk(down: tickets, up: tickets)
    #expect(member.wait { $0.bulkReady == 1 })
    #expect(member.seen.withLock { $0.failures.isEmpty })
  }

  @Test("a name that has no address is a hub that cannot be reached")
  func unknownName() throws {
    let member = try LookingUp(port: 1, TransportLimits()) { _ in .failed("no such name") }
    defer { member.link.stop() }
    member.link.connect()
    #expect(member.wait { $0.failures.count == 1 })
    #expect(
      member.seen.withLock { $0.failures } == [.unreachable("hub.example:1: no such name")])
  }

  @Test("the resolver knows this machine")
  func localhost() {
    guard case .found(let addresses) = HostLookUp.ask("localhost") else {
      return #expect(Bool(false), "localhost has an address")
    }
    #expect(addresses.contains("127.0.0.1") || addresses.contains("::1"))
  }
}

/// A link to `hub.example`, whose addresses a test says.
private final class LookingUp: Sendable {
  private let member: TestLink
  var link: HubLink { member.link }
  var seen: Monitor<TestLink.Seen> { member.seen }

  init(
    port: UInt16, _ limits: TransportLimits,
    _ lookUp: @escaping @Sendable (String) -> HostLookUp
  ) throws {
    member = try TestLink(
      HubAddress(host: "hub.example", port: port, secure: false), limits: limits, lookUp: lookUp)
  }

  func wait(_ condition: (TestLink.Seen) -> Bool) -> Bool { member.wait(condition) }
}
