import Core
import Protocol
import Testing

/// Which small files are fetched before they are opened.
struct DirectoryWalksTests {
  private static func files(_ count: UInt64) -> [(number: UInt64, content: Content)] {
    (1...count).map {
      ($0 + 100, Content(owner: alice, entry: id($0), version: id($0), size: 10))
    }
  }

  @Test func `one open says nothing`() {
    var walks = DirectoryWalks()
    let mustTell = walks.opened(101, in: 1)
    let next = walks.next(in: 1)
    #expect(!mustTell && next.isEmpty)
  }

  @Test func `whoever goes on finds the next on their way, each once, in growing batches`() {
    var walks = DirectoryWalks()
    let files = Self.files(2_000)
    var fetched: [EntryID] = []
    var batches: [Int] = []
    for file in files {
      if walks.opened(file.number, in: 1) { walks.tell(files, of: 1) }
      let next = walks.next(in: 1)
      if !next.isEmpty { batches.append(next.count) }
      fetched += next.map(\.entry)
    }
    #expect(fetched == files.dropFirst(2).map(\.content.entry))
    #expect(batches.count < 100)
    #expect(batches.max()! <= 256)
  }

  @Test func `whoever jumps about is not fetched ahead of`() {
    var walks = DirectoryWalks()
    let files = Self.files(100)
    for number in [180, 150, 120, 110] as [UInt64] {
      if walks.opened(number, in: 1) { walks.tell(files, of: 1) }
      let next = walks.next(in: 1)
      #expect(next.isEmpty)
    }
  }

  @Test func `whoever picks out some files is not fetched ahead of`() {
    var walks = DirectoryWalks()
    let files = Self.files(1_000)
    var fetched = 0
    for number in stride(from: UInt64(101), to: 1_100, by: 50) {
      if walks.opened(number, in: 1) { walks.tell(files, of: 1) }
      fetched += walks.next(in: 1).count
    }
    #expect(fetched <= 8)
  }

  @Test func `a directory that is walked again is told again`() {
    var walks = DirectoryWalks()
    var mustTell: [Bool] = []
    for number in [101, 102, 103, 101, 102] as [UInt64] {
      mustTell.append(walks.opened(number, in: 1))
      if mustTell.last == true { walks.tell(Self.files(2), of: 1) }
    }
    #expect(mustTell == [false, true, false, false, true])
  }
}
