import Protocol
import Testing

/// Any date that a disk can hold is a value like any other.
@Suite struct FileTimeTests {
  private static let ends: [FileTime] = [
    FileTime(seconds: .min), FileTime(seconds: -11_644_473_600), FileTime(seconds: -1),
    FileTime(seconds: 0), FileTime(seconds: 9_223_372_036), FileTime(seconds: 10_413_792_000),
    FileTime(seconds: .max),
    FileTime(seconds: .max, nanoseconds: FileTime.nanosecondsPerSecond - 1)!,
  ]

  @Test func nanosecondsThatAreASecondAreNone() {
    #expect(FileTime(seconds: 0, nanoseconds: 1_000_000_000) == nil)
    #expect(FileTime(seconds: 0, nanoseconds: .max) == nil)
  }

  @Test(arguments: ends) func whatFollowsIsLaterUnlessItIsTheLast(_ time: FileTime) {
    let isLast = time == Self.ends.last
    #expect(isLast ? time.next == time : time.next > time)
  }

  @Test func theLastNanosecondOfASecondIsFollowedByTheNextSecond() {
    let last = FileTime(seconds: -1, nanoseconds: 999_999_999)!
    #expect(last.next == FileTime(seconds: 0))
  }

  @Test(arguments: ends) func theDistanceOfAnyTwoIsKnown(_ time: FileTime) {
    for other in Self.ends {
      #expect((time.elapsed(since: other) > .zero) == (time > other))
      #expect(time.elapsed(since: other) == .zero - other.elapsed(since: time))
    }
  }

  @Test(arguments: ends) func itTravelsAsItIs(_ time: FileTime) throws {
    var writer = ByteWriter()
    writer.put(time)
    var reader = ByteReader(writer.bytes)
    #expect(try reader.fileTime() == time)
    try reader.finish()
  }

  @Test func nanosecondsThatAreNoneAreRefused() {
    var writer = ByteWriter()
    writer.put(UInt64(5))
    writer.put(FileTime.nanosecondsPerSecond)
    var reader = ByteReader(writer.bytes)
    #expect(throws: DecodingFault.invalid("time")) { try reader.fileTime() }
  }
}
