import Control
import Logging
import System
import Testing

/// Paths as text, without a byte lost.
struct PathTextTests {
  @Test(
    arguments: [
      Array("plain/ünïcode".utf8), [0x63, 0x61, 0x66, 0xE9], [0xC3], [0xC3, 0x28],
      [0xF0, 0x9F, 0x98],
      [0xED, 0xA0, 0x80], [0xFF, 0xFE, 0x2F, 0x80], Array("\u{10EEE9}".utf8), [], [0xC0, 0xAF],
      Array("a\u{301}".utf8), Array("\u{E1}".utf8), Array("/\u{301}/".utf8),
      Array("\u{10EE80}x\u{10EEFF}".utf8) + [0xE9], Array("\u{10EE7F}".utf8),
    ] as [[UInt8]])
  func `every path has a text, and every text its bytes`(bytes: [UInt8]) {
    let text = String(pathBytes: bytes)
    #expect(text.pathBytes == bytes)
    #expect(text.cPath.dropLast().map { UInt8(bitPattern: $0) } == bytes)
    // As it travels in a request.
    #expect(String(decoding: Array(text.utf8), as: UTF8.self).pathBytes == bytes)
  }

  @Test func `two bytes strings never have one text`() {
    var texts: Set<[UInt8]> = []
    // The edges of what UTF-8 has, each beside each.
    let bytes: [UInt8] = [
      0x01, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xFF,
    ]
    for first in bytes {
      for second in bytes {
        for third in bytes { texts.insert(Array(String(pathBytes: [first, second, third]).utf8)) }
      }
    }
    #expect(texts.count == bytes.count * bytes.count * bytes.count)
  }

  @Test func `what is not text is shown one way everywhere`() throws {
    let text = String(pathBytes: Array("caf".utf8) + [0xE9, 0x1B])
    #expect(TerminalText.escaped(text) == "caf\\xE9\\x1B")
    #expect(TerminalText.escaped(text.pathBytes) == "caf\\xE9\\x1B")
    #expect(try JSONValue.string(text).text() == "\"caf\\\\xE9\\u001b\"")
    let handler = StderrLogHandler(
      program: "p", threshold: LogThreshold(.info), stamp: .journal)
    let event = LogEvent(
      level: .info, message: "\(text)", metadata: nil, source: "", file: "", function: "", line: 0)
    let line = handler.line(event)
    #expect(String(decoding: line, as: UTF8.self) == "<6>caf\\xE9\\x1b\n")
  }

  @Test func `a path lies in another by its bytes`() {
    func isIn(_ path: String, _ folder: String) -> Bool {
      File.isSameOrBelow(Array(path.utf8), Array(folder.utf8))
    }
    #expect(isIn("/a", "/a") && isIn("/a/b", "/a") && isIn("/a", "/") && isIn("/a/b", "/a/"))
    #expect(!isIn("/ab", "/a") && !isIn("/a", "/a/b"))
    // Equal for Swift, but not for a disk.
    #expect(!isIn("/\u{E1}/x", "/a\u{301}"))
    // No separator for Swift, but for a disk.
    #expect(isIn("/a/\u{301}", "/a"))
    #expect(File.folder(of: "/a/\u{301}b") == "/a")
  }
}
