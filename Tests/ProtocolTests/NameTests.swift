import Protocol
import Testing

/// Names from peers are hostile until checked.
struct NameTests {
  struct Hostile: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let fault: PathFault
    var testDescription: String { name }
  }

  private static func part(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }
  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  static let hostile: [Hostile] = [
    Hostile(name: "nothing", bytes: [], fault: .empty),
    Hostile(name: ".", bytes: ascii("."), fault: .dotPart),
    Hostile(name: "..", bytes: ascii(".."), fault: .dotPart),
    Hostile(name: "a/..", bytes: ascii("a/.."), fault: .dotPart),
    Hostile(name: "../a", bytes: ascii("../a"), fault: .dotPart),
    Hostile(name: "a/./b", bytes: ascii("a/./b"), fault: .dotPart),
    Hostile(name: "a//b", bytes: ascii("a//b"), fault: .emptyPart),
    Hostile(name: "/a", bytes: ascii("/a"), fault: .emptyPart),
    Hostile(name: "a/", bytes: ascii("a/"), fault: .emptyPart),
    Hostile(name: "/", bytes: ascii("/"), fault: .emptyPart),
    Hostile(name: "a zero byte", bytes: [0x61, 0, 0x62], fault: .zeroByte),
    Hostile(name: "a zero byte alone", bytes: [0], fault: .zeroByte),
    Hostile(name: "a part of 256 bytes", bytes: part(256), fault: .partTooLong),
    Hostile(name: "a part of 300 bytes", bytes: ascii("a/") + part(300), fault: .partTooLong),
    Hostile(
      name: "a path of 4096 bytes",
      bytes: Array([[UInt8]](repeating: part(255), count: 16).joined(separator: [0x2f])) + [0x61],
      fault: .tooLong),
  ]

  @Test(arguments: hostile)
  func `a hostile path is refused`(one: Hostile) {
    #expect(throws: one.fault) { try SharePath(one.bytes) }
  }

  @Test(arguments: hostile)
  func `a hostile path in an entry is refused`(one: Hostile) {
    var writer = ByteWriter()
    writer.putBytes16(one.bytes)
    var reader = ByteReader(writer.bytes)
    #expect(throws: DecodingFault.self) { try reader.path() }
  }

  @Test(arguments: [
    [0xff, 0xfe], ascii("..."), ascii("..a"), ascii(".a"), ascii("a b\n"), part(255),
    Array([[UInt8]](repeating: part(255), count: 15).joined(separator: [0x2f])) + [0x2f]
      + part(255),
    [0xc3], ascii("~"), ascii("\\"), ascii("-rf"),
  ])
  func `a path that Linux takes is taken byte for byte`(bytes: [UInt8]) throws {
    #expect(try SharePath(bytes).bytes == bytes)
  }

  @Test(arguments: ["a/b", "", ".", "..", "a\0"])
  func `a part with more than one part's bytes is refused`(text: String) {
    #expect(throws: PathFault.self) { try Name(Array(text.utf8)) }
  }

  @Test(arguments: ["", ".", "..", "a/b", "a\nb", "a\u{202e}b", "a\u{7f}", "\u{1b}[0m"])
  func `a device name that could deceive is refused`(text: String) {
    #expect(DeviceName(text) == nil)
  }

  @Test func `a device name has at most 64 bytes`() {
    #expect(DeviceName(String(repeating: "a", count: 64)) != nil)
    #expect(DeviceName(String(repeating: "ä", count: 33)) == nil)
  }

  @Test func `a path is below its directory and not below a prefix of its name`() throws {
    let directory = try SharePath(Array("a/b".utf8))
    #expect(try SharePath(Array("a/b/c".utf8)).isBelow(directory))
    #expect(try !SharePath(Array("a/bc".utf8)).isBelow(directory))
    #expect(!directory.isBelow(directory))
  }

  @Test func `a path moves with its directory unless it gets too long`() throws {
    let old = try SharePath(Array("a".utf8))
    let new = try SharePath(Array("x/y".utf8))
    let path = try SharePath(Array("a/b".utf8))
    #expect(path.moved(from: old, to: new)?.bytes == Array("x/y/b".utf8))
    let long = try SharePath(
      Array([[UInt8]](repeating: Self.part(254), count: 16).joined(separator: [0x2f])))
    #expect(path.moved(from: old, to: long)?.bytes.count == long.bytes.count + 2)
    let longest = try SharePath(
      Array([[UInt8]](repeating: Self.part(255), count: 15).joined(separator: [0x2f])) + [0x2f]
        + Self.part(255))
    #expect(path.moved(from: old, to: longest) == nil)
  }
}
