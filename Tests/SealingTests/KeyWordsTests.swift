import Protocol
import Sealing
import Testing

struct KeyWordsTests {
  private let counting = DeviceKey(signing: Array(0..<32), agreement: Array(32..<64))
  private let zero = DeviceKey(
    signing: [UInt8](repeating: 0, count: 32), agreement: [UInt8](repeating: 0, count: 32))
  private let words = "million melt cinnamon track vivid feature"

  /// Computed by another program from the description of the words.
  @Test func `a key has always the same six words`() {
    #expect(KeyWords(counting).description == words)
    #expect(KeyWords(zero).description == "advance loyal custom large better reward")
  }

  @Test func `both halves of a key decide about its words`() {
    let one = DeviceKey(signing: counting.signing, agreement: zero.agreement)
    let other = DeviceKey(signing: zero.signing, agreement: counting.agreement)
    #expect(Set([counting, zero, one, other].map { KeyWords($0) }).count == 4)
  }

  @Test(arguments: [
    "million melt cinnamon track vivid feature", "Million MELT cinnamon track vivid FEATURE",
    "  million\tmelt   cinnamon track vivid feature\n", "million-melt-cinnamon-track-vivid-feature",
    "million, melt, cinnamon, track, vivid, feature", "mill melt cinn trac vivi feat",
    "millio melt cinnam trac vivid featur",
  ])
  func `words are recognised however they are typed`(text: String) {
    #expect(KeyWords(counting).matches(text))
  }

  @Test(arguments: [
    "", "million melt cinnamon track vivid", "million melt cinnamon track vivid feature feature",
    "melt million cinnamon track vivid feature", "mil melt cinnamon track vivid feature",
    "millions melt cinnamon track vivid feature", "million.melt.cinnamon.track.vivid.feature",
    "million melt cinnamon track vivid fearure", "millionmeltcinnamontrackvividfeature",
  ])
  func `anything else is not these words`(text: String) {
    #expect(!KeyWords(counting).matches(text))
  }

  /// That four letters suffice stands on this.
  @Test func `the list has 2,048 words that four letters tell apart`() {
    let list = KeyWordList.words
    #expect(list.count == 2_048)
    #expect(list == list.sorted())
    #expect(Set(list.map { $0.prefix(4) }).count == list.count)
    #expect(list.allSatisfy { $0.allSatisfy { ("a"..."z").contains($0) } })
    #expect(list.first == "abandon" && list.last == "zoo")
  }

  @Test func `the fingerprint of a key is of both halves, and of its own purpose`() {
    #expect("\(Fingerprint(of: counting))" == "tn54FeioZocxGrpFLhsts_blK5RV46q2v54V3tLRtEo")
    #expect("\(Fingerprint(of: zero))" == "Pb7-vus7_UU3ySNNQzcm4GPykD0F3BHkhRCX8jAGuUY")
  }
}
