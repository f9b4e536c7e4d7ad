import Core
import Testing

/// Who looks at files one behind the other is told of them with their names; who does not is not.
struct AttributeInterestTests {
  /// An interest behind some looks that follow one another after `pause`, and when the last of them
  /// was.
  private func interest(looks: Int, pause: Duration) -> (AttributeInterest, last: Instant) {
    var interest = AttributeInterest()
    var now = Instant.seconds(100)
    for _ in 0..<looks {
      now += pause
      interest.looked(now: now)
    }
    return (interest, now)
  }

  @Test(arguments: [(0, false), (1, false), (7, false), (8, true), (1_000, true)])
  func `it takes some looks`(looks: Int, isThere: Bool) {
    let (interest, last) = interest(looks: looks, pause: .milliseconds(1))
    #expect(interest.isThere(now: last) == isThere)
  }

  @Test func `a look now and then is none`() {
    let (interest, last) = interest(looks: 100, pause: .seconds(3))
    #expect(!interest.isThere(now: last))
  }

  @Test func `it ends when nobody looks any more`() {
    let (interest, last) = interest(looks: 100, pause: .milliseconds(1))
    #expect(interest.isThere(now: last + .seconds(1)))
    #expect(!interest.isThere(now: last + .seconds(2)))
  }
}
