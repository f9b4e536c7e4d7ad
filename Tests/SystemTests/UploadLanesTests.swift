import Mount
import Protocol
import Testing

/// Which of the files that are asked for is read next, and what becomes of one whose disk does not
/// answer.
struct UploadLanesTests {
  /// The lanes, as what a test may ask in an expectation.
  private final class Lanes {
    private var lanes = UploadLanes()

    var leaves: Int { lanes.leaves }
    var nextDeadline: Duration? { lanes.nextDeadline }

    func add(_ request: ChunkRequest, device: UInt64?) -> Bool {
      lanes.add(Upload(request), device: device)
    }

    func begin(now: Duration) -> (reader: UploadLanes.ReaderID, request: ChunkRequest)? {
      lanes.begin(now: now).map { ($0.reader, $0.request.run) }
    }

    func goOn(
      _ reader: UploadLanes.ReaderID, rest: ChunkRequest? = nil, now: Duration
    ) -> ChunkRequest? {
      lanes.goOn(reader, rest: rest.map { Upload($0) }, now: now)?.run
    }

    func begins(_ rest: ChunkRequest, _ reader: UploadLanes.ReaderID, now: Duration) -> Bool {
      lanes.begins(Upload(rest), reader, now: now)
    }

    func givesWay(_ reader: UploadLanes.ReaderID) -> Bool { lanes.givesWay(reader) }
    func isGivenUp(_ reader: UploadLanes.ReaderID) -> Bool { lanes.isGivenUp(reader) }
    func giveUp(now: Duration) -> [ChunkRequest] { lanes.giveUp(now: now).map(\.run) }
    func takeAll() -> [ChunkRequest] { lanes.takeAll().map(\.run) }
  }

  private let one: Version = RandomID(high: 5, low: 1)

  private func request(
    _ file: UInt64, first: UInt64 = 0, count: UInt32 = 64
  ) -> ChunkRequest {
    ChunkRequest(
      owner: PublicID(1), entry: RandomID(high: 1, low: file), version: one,
      scale: Limits.leafScale, generation: 1, first: first, count: count, pastCache: false)
  }

  private func second(_ number: Double) -> Duration { .milliseconds(Int(number * 1_000)) }

  @Test func `one reader reads all, as long as it gets on`() throws {
    let lanes = Lanes()
    for file in 1...3 as ClosedRange<UInt64> { #expect(lanes.add(request(file), device: 7)) }
    #expect(lanes.leaves == 192)
    let (reader, first) = try #require(lanes.begin(now: .zero))
    #expect(first == request(1))
    #expect(lanes.begin(now: .milliseconds(1)) == nil)
    #expect(lanes.goOn(reader, now: .milliseconds(1)) == request(2))
    #expect(lanes.goOn(reader, now: .milliseconds(2)) == request(3))
    #expect(lanes.goOn(reader, now: .milliseconds(3)) == nil)
    #expect(lanes.leaves == 0 && lanes.begin(now: second(9)) == nil)
  }

  @Test func `runs of one file are read one after the other, by one reader`() throws {
    let lanes = Lanes()
    #expect(lanes.add(request(1), device: 7))
    #expect(lanes.add(request(1, first: 64), device: 7))
    let (reader, _) = try #require(lanes.begin(now: .zero))
    // It is slow, but nothing else waits.
    #expect(lanes.begin(now: second(1)) == nil)
    #expect(
      lanes.goOn(reader, rest: request(1, first: 10, count: 54), now: second(1))
        == request(1, first: 10, count: 54))
    #expect(lanes.goOn(reader, now: second(1)) == request(1, first: 64))
  }

  @Test func `files take turns, and what a program waits for goes first`() throws {
    let lanes = Lanes()
    for first in stride(from: 0, to: 192, by: 64) as StrideTo<UInt64> {
      #expect(lanes.add(request(1, first: first), device: 7))
    }
    let (reader, _) = try #require(lanes.begin(now: .zero))
    #expect(lanes.add(request(2), device: 7))
    #expect(!lanes.givesWay(reader))
    #expect(lanes.add(request(3, count: 1), device: 7))
    #expect(lanes.givesWay(reader))
    let rest = request(1, first: 5, count: 59)
    #expect(lanes.goOn(reader, rest: rest, now: .zero) == request(3, count: 1))
    #expect(!lanes.givesWay(reader))
    #expect(lanes.goOn(reader, now: .zero) == rest)
    // A single leaf of the same file goes before the rest of it too.
    #expect(lanes.add(request(1, first: 900, count: 1), device: 7))
    #expect(lanes.givesWay(reader))
    #expect(lanes.goOn(reader, now: .zero) == request(1, first: 900, count: 1))
    #expect(lanes.goOn(reader, now: .zero) == request(2))
    #expect(lanes.goOn(reader, now: .zero) == request(1, first: 64))
    #expect(lanes.goOn(reader, now: .zero) == request(1, first: 128))
    #expect(lanes.goOn(reader, now: .zero) == nil)
  }

  @Test func `a slow file holds up itself, and not the next`() throws {
    let lanes = Lanes()
    for file in 1...9 as ClosedRange<UInt64> { #expect(lanes.add(request(file), device: file)) }
    var readers: [UploadLanes.ReaderID] = []
    for number in 0..<UploadLanes.readerLimit {
      let begun = try #require(lanes.begin(now: .milliseconds(10 * number)))
      #expect(begun.request == request(UInt64(number) + 1))
      readers.append(begun.reader)
    }
    #expect(lanes.begin(now: second(1)) == nil)
    // One that gets on again reads all the rest.
    #expect(lanes.begins(request(2, first: 1, count: 63), readers[1], now: second(1)))
    #expect(lanes.goOn(readers[1], now: second(1)) == request(5))
  }

  @Test func `a file that is stuck is refused, at once from then on, until it answers`() throws {
    let lanes = Lanes()
    #expect(lanes.add(request(1), device: 7))
    #expect(lanes.add(request(1, first: 64), device: 7))
    let (reader, _) = try #require(lanes.begin(now: .zero))
    let rest = request(1, first: 3, count: 61)
    #expect(lanes.begins(rest, reader, now: .milliseconds(5)))
    #expect(lanes.giveUp(now: second(1.9)) == [])
    #expect(lanes.nextDeadline == .milliseconds(5) + UploadLanes.patience)
    #expect(lanes.giveUp(now: second(3)) == [rest, request(1, first: 64)])
    #expect(lanes.giveUp(now: second(4)) == [])
    #expect(lanes.leaves == 0)
    #expect(!lanes.add(request(1), device: 7))
    // Other files go on, by another reader.
    #expect(lanes.add(request(2), device: 7))
    #expect(try #require(lanes.begin(now: second(4))).request == request(2))
    #expect(lanes.isGivenUp(reader))
    #expect(!lanes.begins(rest, reader, now: second(5)))
    #expect(lanes.goOn(reader, now: second(5)) == nil)
    #expect(lanes.add(request(1), device: 7))
  }

  @Test func `of a disk that is gone few files are tried, and others as ever`() throws {
    let lanes = Lanes()
    for file in 1...100 as ClosedRange<UInt64> {
      let now = second(Double(file) * 10)
      let isTaken = lanes.add(request(file), device: 7)
      #expect(isTaken == (file <= UploadLanes.stuckPerDevice))
      guard isTaken else { continue }
      #expect(lanes.begin(now: now)?.request == request(file))
      #expect(lanes.giveUp(now: now + second(5)) == [request(file)])
    }
    #expect(lanes.add(request(1_000), device: 8))
    let (reader, found) = try #require(lanes.begin(now: second(5_000)))
    #expect(found == request(1_000))
    #expect(lanes.goOn(reader, now: second(5_000)) == nil)
  }

  @Test func `readers that are stuck are bounded, whatever they read`() throws {
    let lanes = Lanes()
    for file in 1...UInt64(UploadLanes.stuckLimit) {
      let now = second(Double(file) * 10)
      #expect(lanes.add(request(file), device: file))
      #expect(lanes.begin(now: now) != nil)
      #expect(lanes.giveUp(now: now + second(5)).count == 1)
    }
    #expect(lanes.add(request(999), device: 999))
    #expect(lanes.begin(now: second(9_999)) == nil)
  }

  @Test func `what waits is taken back, and too much is refused`() throws {
    let lanes = Lanes()
    var taken = 0
    while lanes.add(request(UInt64(taken % 50), first: UInt64(taken) * 64), device: nil) {
      taken += 1
    }
    #expect(taken == UploadLanes.requestLimit / 64)
    let (reader, _) = try #require(lanes.begin(now: .zero))
    #expect(lanes.takeAll().count == taken - 1)
    #expect(lanes.leaves == 0)
    #expect(lanes.goOn(reader, now: .zero) == nil)
    #expect(lanes.begin(now: second(1)) == nil)
  }
}
