import Mount
import Protocol
import Testing

/// What of an own file's announced versions may still be served while it is written to.
struct ContentHistoryTests {
  private func version(_ number: UInt64) -> Version { RandomID(high: 9, low: number) }

  private func entry(_ number: UInt64, size: UInt64, beginning: UInt64? = nil) throws -> Entry {
    Entry(
      id: RandomID(high: 1, low: 1), path: try SharePath(Array("log".utf8)), kind: .file,
      version: version(number), size: size, modified: FileTime(seconds: 0), mode: 0o644,
      beginning: beginning.map { version($0) })
  }

  @Test func `what is appended leaves all that was announced`() throws {
    var history = ContentHistory()
    let first = try entry(1, size: 100)
    #expect(history.announce(first.version, size: 100, before: nil) == nil)
    history.begin(at: 100, first, size: 100)
    #expect(history.holds(version(1), upTo: 100, first))
    history.end(at: 100)
    #expect(history.hasOnlyGrown)
    #expect(history.announce(version(2), size: 150, before: first) == version(1))
    let second = try entry(2, size: 150, beginning: 1)
    #expect(history.holds(version(1), upTo: 100, second))
    #expect(!history.holds(version(1), upTo: 101, second))
    #expect(history.holds(version(2), upTo: 150, second))
    #expect(history.size(of: version(1), second) == 100)
    history.begin(at: 150, second, size: 150)
    history.end(at: 150)
    #expect(history.announce(version(3), size: 151, before: second) == version(1))
  }

  @Test func `what is written over is no longer served from there on`() throws {
    var history = ContentHistory()
    let first = try entry(1, size: 100)
    history.begin(at: 40, first, size: 40)
    // The write may be half done by now.
    #expect(history.holds(version(1), upTo: 40, first))
    #expect(!history.holds(version(1), upTo: 41, first))
    history.end(at: 40)
    #expect(!history.hasOnlyGrown)
    #expect(history.announce(version(2), size: 200, before: first) == nil)
    #expect(history.holds(version(1), upTo: 40, try entry(2, size: 200)))
    #expect(!history.holds(version(1), upTo: 41, try entry(2, size: 200)))
  }

  @Test func `a version announced in the middle of a write ends where that begins`() throws {
    var history = ContentHistory()
    let first = try entry(1, size: 100)
    history.begin(at: 100, first, size: 100)
    #expect(history.announce(version(2), size: 100, before: first) == version(1))
    let second = try entry(2, size: 100, beginning: 1)
    #expect(history.holds(version(2), upTo: 100, second))
    history.end(at: 100)
    #expect(history.hasOnlyGrown)

    history.begin(at: 50, second, size: 50)
    #expect(history.announce(version(3), size: 120, before: second) == nil)
    #expect(!history.holds(version(3), upTo: 51, try entry(3, size: 120)))
  }

  @Test func `a file that shrinks or was changed by others begins anew`() throws {
    var history = ContentHistory()
    let first = try entry(1, size: 100)
    history.begin(at: 30, first, size: 30)
    history.end(at: 30)
    #expect(history.announce(version(2), size: 30, before: first) == nil)
    history.loseTrack(try entry(2, size: 30))
    #expect(history.announce(version(3), size: 60, before: try entry(2, size: 30)) == nil)
    #expect(!history.holds(version(2), upTo: 1, try entry(3, size: 60)))
  }

  @Test func `a stat counts only behind the last change`() {
    var history = ContentHistory()
    history.begin(at: 0, nil, size: 0)
    let change = history.changes
    history.begin(at: 10, nil, size: 10)
    history.end(at: 0)
    history.settle(behind: change)
    #expect(!history.isSettled && history.isChanging)
    history.end(at: 10)
    history.settle(behind: change)
    #expect(!history.isSettled)
    history.settle(behind: history.changes)
    #expect(history.isSettled)
  }

  @Test func `only the latest versions are remembered`() throws {
    var history = ContentHistory()
    var last = try entry(0, size: 0)
    for number in 1...100 as ClosedRange<UInt64> {
      history.begin(at: number, last, size: number)
      history.end(at: number)
      _ = history.announce(version(number), size: number, before: last)
      last = try entry(number, size: number, beginning: 0)
    }
    #expect(history.size(of: version(84), last) == nil)
    #expect(history.size(of: version(85), last) == 85)
    #expect(history.holds(version(85), upTo: 85, last))
  }
}
