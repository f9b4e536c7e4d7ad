import Core
import Protocol
import Testing

/// Pages of the list: whoever takes them ends with the same list.
struct ChangeLogTests {
  /// A list that takes several pages: names of 200 bytes.
  private func longList(_ count: UInt64, tombstoneLimit: Int = 65_536) -> Author {
    var author = Author(tombstoneLimit: tombstoneLimit)
    author.order(.approved(member(1, .approved)), by: .master)
    for number in 1...count { author.add(longEntry(number)) }
    return author
  }

  private func longEntry(_ number: UInt64, version: UInt64? = nil) -> Entry {
    entry(number, "\(number)-" + String(repeating: "l", count: 200), version: version)
  }

  @Test func `a list in several pages arrives whole`() throws {
    let author = longList(1_000)
    var follower = Follower()
    #expect(try follower.takePage(of: author))
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.items == 1_001 && follower.restarts == 1)
  }

  @Test func `a batch larger than a page is split behind any of its entries`() throws {
    var author = Author()
    author.order(.added((1...900).map { longEntry($0) }, rejected: []))
    var follower = Follower()
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.items == 900)
  }

  @Test func `who has seen the list gets only what changed`() throws {
    var author = longList(500)
    var follower = Follower()
    try follower.catchUp(with: author)
    follower.items = 0
    author.add(longEntry(7, version: 1))
    author.order(.removed(id(8)))
    author.order(.named(deviceName("laptop")))
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.items == 3 && follower.restarts == 1)
  }

  @Test func `changes between the pages of a run are not lost`() throws {
    var author = longList(1_000)
    var follower = Follower()
    #expect(try follower.takePage(of: author))
    author.order(.removed(id(1)))
    author.order(.removed(id(999)))
    author.add(longEntry(2, version: 5))
    author.add(longEntry(2_000))
    author.order(.renamed(id(500), to: path("moved"), rejection: nil))
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
  }

  @Test func `an entry that comes and goes between two pages leaves no trace`() throws {
    var author = longList(600)
    var follower = Follower()
    #expect(try follower.takePage(of: author))
    author.add(longEntry(5_000))
    author.order(.removed(id(5_000)))
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
  }

  @Test func `another epoch means the whole list again`() throws {
    let author = longList(10)
    var follower = Follower()
    follower.cursor = ListCursor(order: ListOrder(epoch: 9, seq: 11), offset: 0, began: 0)
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author) && follower.restarts == 1)
  }

  @Test func `an order that the list has not reached means the whole list again`() throws {
    let author = longList(10)
    var follower = Follower()
    follower.cursor = ListCursor(order: ListOrder(epoch: 1, seq: 99), offset: 0, began: 0)
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author) && follower.restarts == 1)
  }

  @Test func `who missed removals that are forgotten takes the whole list again`() throws {
    var author = longList(50, tombstoneLimit: 10)
    var follower = Follower()
    try follower.catchUp(with: author)
    for number in 1...20 as ClosedRange<UInt64> { author.order(.removed(id(number))) }
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.restarts == 2)
  }

  @Test func `a run of pages that misses forgotten removals begins again`() throws {
    var author = longList(600, tombstoneLimit: 10)
    var follower = Follower()
    #expect(try follower.takePage(of: author))
    for number in 1...50 as ClosedRange<UInt64> { author.order(.removed(id(number))) }
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
  }

  @Test func `behind a snapshot nothing is known of what was removed before it`() throws {
    var author = longList(20)
    var follower = Follower()
    try follower.catchUp(with: author)
    author.order(.removed(id(3)))
    var restored = ChangeLog()
    restored.beginRestored(at: author.replica.order)
    for listed in author.replica.list.sorted {
      restored.noteRestored(.entry(listed), at: author.replica.order)
    }
    restored.noteRestored(.member(member(1, .approved)), at: author.replica.order)
    author.log = restored
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.restarts == 2)
  }

  @Test func `who has seen a snapshot's order gets nothing from it again`() throws {
    var author = longList(20)
    var follower = Follower()
    try follower.catchUp(with: author)
    var restored = ChangeLog()
    restored.beginRestored(at: author.replica.order)
    for listed in author.replica.list.sorted {
      restored.noteRestored(.entry(listed), at: author.replica.order)
    }
    author.log = restored
    follower.items = 0
    try follower.catchUp(with: author)
    #expect(follower.items == 0 && follower.restarts == 1)
  }

  @Test func `the log stays small however often one entry changes`() throws {
    var author = longList(10)
    for version in 1...10_000 as ClosedRange<UInt64> {
      author.add(longEntry(1, version: version))
    }
    var follower = Follower()
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
    #expect(follower.items == 11)
  }
}
