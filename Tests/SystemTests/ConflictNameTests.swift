import Mount
import Protocol
import Testing

/// The names under which something is kept whose path is somebody else's.
@Suite struct ConflictNameTests {
  private static func name(
    _ path: String, isFolder: Bool = false, member: String = "bob", attempt: Int = 0
  ) throws -> String? {
    let path = try SharePath(Array(path.utf8))
    let name = ConflictName(of: path, isFolder: isFolder, member: DeviceName(member)!, attempt)
    return name.path.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test(arguments: [
    ("report.odt", "report (conflict, bob).odt"), ("a/report", "a/report (conflict, bob)"),
    (".bashrc", ".bashrc (conflict, bob)"), ("x.tar.gz", "x.tar (conflict, bob).gz"),
    ("v1. final notes", "v1. final notes (conflict, bob)"), ("dot.", "dot. (conflict, bob)"),
    ("no.extensionofsuchlength", "no.extensionofsuchlength (conflict, bob)"),
  ]) func `an extension stays at the end`(path: String, expected: String) throws {
    #expect(try Self.name(path) == expected)
  }

  @Test func `a folder has no extension, and a number comes behind the member`() throws {
    #expect(try Self.name("conf.d", isFolder: true) == "conf.d (conflict, bob)")
    #expect(try Self.name("a.txt", attempt: 1) == "a (conflict, bob 2).txt")
  }

  @Test func `a long name is cut at the boundary of a character`() throws {
    for letter in ["x", "ü", "漢", "🦊"] {
      for more in 0..<4 {
        let stem = String(repeating: "y", count: more) + String(repeating: letter, count: 240)
        let long =
          String(decoding: Array(stem.utf8).prefix(251), as: UTF8.self)
          .replacingOccurrences(of: "\u{fffd}", with: "") + ".odt"
        let name = try #require(try Self.name(long))
        #expect(name.utf8.count <= Limits.name && name.utf8.count > Limits.name - 4)
        #expect(name.hasSuffix(" (conflict, bob).odt"))
        #expect(!name.contains("\u{fffd}"))
      }
    }
  }

  @Test func `what is no UTF-8 is cut too`() throws {
    let path = try SharePath([UInt8](repeating: 0x80, count: 255))
    let name = ConflictName(of: path, isFolder: false, member: DeviceName("bob")!, 0)
    let bytes = try #require(name.path).bytes
    #expect(bytes.count <= Limits.name && bytes.count > Limits.name - 4)
  }

  @Test(arguments: 1...60) func `there is a name, or none, for all that is left of a path`(
    room: Int
  ) throws {
    // Folders of 200 bytes, and one that brings the rest to what is wanted.
    let length = Limits.path - 1 - room
    let folders = [UInt8](repeating: UInt8(ascii: "d"), count: 200) + [0x2f]
    let whole = length / 201 - 1
    let above = (0..<whole).flatMap { _ in folders }
    let last = [UInt8](repeating: UInt8(ascii: "e"), count: (length - above.count) / 2)
    let rest = [UInt8](repeating: UInt8(ascii: "f"), count: length - above.count - last.count - 1)
    let parent = try SharePath(above + last + [0x2f] + rest)
    #expect(parent.bytes.count == length)
    let name = try Name(Array("n.odt".utf8).prefix(room))
    let path = try SharePath(parent: parent, name: name)
    let found = ConflictName(of: path, isFolder: false, member: DeviceName("bob")!, 0).path
    #expect((found == nil) == (room <= " (conflict, bob)".utf8.count))
    #expect(found.map { $0.bytes.count <= Limits.path } ?? true)
  }
}

extension String {
  fileprivate func replacingOccurrences(of part: Character, with: String) -> String {
    String(filter { $0 != part })
  }
}
