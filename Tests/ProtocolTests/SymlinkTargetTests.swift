import Protocol
import Testing

struct SymlinkTargetTests {
  @Test(arguments: [
    ("a", 0), ("a/b", 0), ("./a", 0), ("..", 1), ("../a", 1), ("../../a", 2), ("a/./b", 0),
    ("./../a", 1), ("a//b", 0), ("...", 0),
  ])
  func `a target inside the share is taken`(target: String, depth: Int) {
    #expect(SymlinkTarget.isContained(Array(target.utf8), depth: depth))
  }

  @Test(arguments: [
    ("", 3), ("/", 3), ("/etc/passwd", 3), ("..", 0), ("../../a", 1), ("a/../../b", 5),
    ("a/..", 5), ("a\0b", 0), ("./../../x", 1), ("..//../a", 1),
  ])
  func `a target that could lead out of the share is refused`(target: String, depth: Int) {
    #expect(!SymlinkTarget.isContained(Array(target.utf8), depth: depth))
  }

  @Test func `a target is no longer than a path`() {
    #expect(SymlinkTarget.isContained([UInt8](repeating: 0x61, count: Limits.path), depth: 0))
    #expect(!SymlinkTarget.isContained([UInt8](repeating: 0x61, count: Limits.path + 1), depth: 0))
  }
}
