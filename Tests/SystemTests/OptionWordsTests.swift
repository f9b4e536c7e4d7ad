import System
import Testing

/// Mount options are read as libfuse reads them.
struct OptionWordsTests {
  @Test(arguments: [
    ("", []), ("ro", ["ro"]), ("ro,,own=/a,", ["ro", "own=/a"]),
    ("own=/a\\,b,ro", ["own=/a,b", "ro"]), ("own=/a\\\\,ro", ["own=/a\\", "ro"]),
    ("own=/a\\054b", ["own=/a,b"]), ("own=/a\\400", ["own=/a400"]), ("own=/a\\05", ["own=/a05"]),
    ("own=/a\\", ["own=/a\\"]), ("name=e\u{301},ro", ["name=e\u{301}", "ro"]),
    ("name=,\u{301}", ["name=", "\u{301}"]),
  ])
  func `a line is split as libfuse splits it`(line: String, words: [String]) {
    let split = OptionWords.split(line).map { Array($0.pathBytes) }
    #expect(split == words.map { Array($0.pathBytes) })
  }

  @Test(arguments: [["a,b", "c\\", "\\,d"], ["x"], [], ["own=/a b", "ü=\u{1}"]])
  func `what is joined is split into the same`(words: [String]) {
    #expect(OptionWords.split(OptionWords.joined(words)) == words)
  }

  @Test func `bytes that are no text stay what they are`() {
    let path = String(pathBytes: [UInt8(ascii: "a"), 0xFF, UInt8(ascii: ","), 0xC3])
    #expect(OptionWords.split(OptionWords.joined([path])).map(\.pathBytes) == [path.pathBytes])
    #expect(OptionWords.split("own=\\377").map(\.pathBytes) == [Array("own=".utf8) + [0xFF]])
  }
}
