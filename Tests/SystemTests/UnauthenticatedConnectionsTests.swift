import Testing
import Transport

/// Who gives way when too many connections are nobody's.
struct UnauthenticatedConnectionsTests {
  private func v4(_ last: UInt8) -> PeerOrigin { PeerOrigin(address: [192, 0, 2, last]) }

  @Test func `a flood from one place displaces itself, and nobody who came before`() {
    var strangers = UnauthenticatedConnections()
    for id in 1...3 { strangers.add(ConnectionID(id), from: v4(UInt8(id))) }
    strangers.add(4, from: v4(66))
    for id in 5...1_000 {
      #expect(strangers.giveWay(to: v4(66)) == ConnectionID(id - 1))
      strangers.add(ConnectionID(id), from: v4(66))
    }
    #expect(strangers.count == 4)
  }

  @Test func `whoever has most loses the oldest to others`() {
    var strangers = UnauthenticatedConnections()
    for (id, last) in [(1, 1), (2, 66), (3, 66), (4, 66), (5, 2)] as [(Int, UInt8)] {
      strangers.add(ConnectionID(id), from: v4(last))
    }
    #expect(strangers.giveWay(to: v4(3)) == 2)
    strangers.remove(3)
    // One each: the oldest of all.
    #expect(strangers.giveWay(to: v4(3)) == 1)
    #expect(strangers.count == 2)
  }

  @Test func `who has as many as the flood does not lose one to it`() {
    var strangers = UnauthenticatedConnections()
    for (id, last) in [(1, 1), (2, 1), (3, 66), (4, 66)] as [(Int, UInt8)] {
      strangers.add(ConnectionID(id), from: v4(last))
    }
    #expect(strangers.giveWay(to: v4(66)) == 3)
  }

  @Test func `nobody gives way where nobody is`() {
    var strangers = UnauthenticatedConnections()
    #expect(strangers.giveWay(to: v4(1)) == nil)
  }

  @Test func `a place is an IPv4 address or half of an IPv6 address`() {
    let net: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1]
    let one = PeerOrigin(address: net + [0, 0, 0, 0, 0, 0, 0, 1])
    #expect(one == PeerOrigin(address: net + [9, 9, 9, 9, 9, 9, 9, 9]))
    #expect(one != PeerOrigin(address: net.dropLast() + [2, 0, 0, 0, 0, 0, 0, 0, 1]))
    let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 1]
    #expect(PeerOrigin(address: mapped) == v4(1))
    #expect(v4(1) != v4(2))
  }

  @Test func `a peer that is gone is not shown as an error`() {
    #expect(
      shownAddress("getpeername: Transport endpoint is not connected") == "a peer that is gone")
    #expect(shownAddress("") == "a peer that is gone")
    #expect(shownAddress("::ffff:192.0.2.1") == "192.0.2.1")
    #expect(shownAddress("2001:db8::1") == "2001:db8::1")
  }

  @Test func `each address has so many handshakes, and another's flood takes none of them`() {
    var handshakes = Handshakes(perSecond: 5)
    let flood = PeerOrigin(address: [192, 0, 2, 1])
    let other = PeerOrigin(address: [192, 0, 2, 2])
    let now = Duration.seconds(100)
    let begun = (0..<1_000).count { _ in handshakes.take(flood, now: now) }
    #expect((49...50).contains(begun))
    // What was refused is not paid for later.
    let isWelcomeAgain = handshakes.take(flood, now: now + .seconds(11))
    #expect(isWelcomeAgain)
    let isOtherWelcome = handshakes.take(other, now: now)
    #expect(isOtherWelcome)
    // As many addresses as there are take no more memory than some.
    let welcome = (0..<20_000).count { number in
      let address = [10, UInt8(number >> 16), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
      return handshakes.take(PeerOrigin(address: address), now: now)
    }
    #expect(welcome == 20_000)
  }
}
