import Testing
import Transport

/// Who comes in next of those that wait at a hub's door, and who gives way there.
struct DoorstepTests {
  private func v4(_ last: UInt8) -> PeerOrigin { PeerOrigin(address: [192, 0, 2, last]) }

  private func crowded(limit: Int) -> Doorstep {
    var doorstep = Doorstep(limit: limit)
    for id in 1...100 { doorstep.add(ConnectionID(id), from: v4(66)) }
    for id in 101...102 { doorstep.add(ConnectionID(id), from: v4(1)) }
    for id in 1...102 { doorstep.line(ConnectionID(id)) }
    return doorstep
  }

  @Test func `each address has its turn, however many stand there of another`() {
    var doorstep = crowded(limit: 1_000)
    let first = (0..<5).map { _ in doorstep.next { _ in true } }
    #expect(first == [1, 101, 2, 102, 3])
    #expect(doorstep.count == 97)
  }

  @Test func `who may not come in waits, and nobody waits for it`() {
    var doorstep = crowded(limit: 1_000)
    let flood = v4(66)
    let others = (0..<3).map { _ in doorstep.next { $0 != flood } }
    #expect(others == [101, 102, nil])
    #expect(doorstep.isWaitedAt)
    let later = doorstep.next { _ in true }
    #expect(later == 1)
  }

  @Test func `who has gone is passed over`() {
    var doorstep = crowded(limit: 1_000)
    for id in 1...99 { doorstep.remove(ConnectionID(id)) }
    var entered: [ConnectionID] = []
    while let id = doorstep.next(mayEnter: { _ in true }) { entered.append(id) }
    #expect(entered == [100, 101, 102])
    #expect(doorstep.count == 0 && !doorstep.isWaitedAt)
  }

  @Test func `where too many stand the oldest of the largest crowd gives way`() {
    var doorstep = crowded(limit: 101)
    #expect(doorstep.overflow() == [1, 2, 3, 4, 5, 6])
    #expect(doorstep.count == 96)
    #expect(doorstep.overflow().isEmpty)
  }
}
