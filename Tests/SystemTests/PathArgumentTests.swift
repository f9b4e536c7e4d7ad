import Control
import Protocol
import System
import Testing

struct PathArgumentTests {
  private func path(_ text: String) throws -> PathArgument {
    .path(try SharePath(Array(text.utf8)))
  }

  @Test(
    arguments: [
      ("docs/a", nil, "docs/a"), ("/docs/a", nil, "docs/a"), ("docs//a/", nil, "docs/a"),
      ("./docs", nil, "docs"), ("/mnt/share/docs/a", nil, "docs/a"),
      ("a", "/mnt/share/docs/a", "docs/a"), ("a", "/home/me/a", "a"),
      ("../b", "/mnt/share/docs/b", "docs/b"), ("/mnt/shared/a", "/mnt/shared/a", "mnt/shared/a"),
    ] as [(String, String?, String)])
  func `a path is found in the share`(typed: String, absolute: String?, found: String) throws {
    let argument = PathArgument(typed: typed, absolute: absolute, mountpoint: "/mnt/share")
    #expect(argument == (try path(found)))
  }

  @Test(
    arguments: [
      ("/mnt/share", "/mnt/share"), ("/mnt/share/", nil), (".", "/mnt/share"), ("/", "/"),
    ] as [(String, String?)])
  func `the mountpoint is the whole share`(typed: String, absolute: String?) {
    #expect(
      PathArgument(typed: typed, absolute: absolute, mountpoint: "/mnt/share") == .root)
  }

  @Test func `paths are told apart by their bytes`() throws {
    let (composed, decomposed) = ("/mnt/\u{E1}", "/mnt/a\u{301}")
    #expect(composed == decomposed)
    func argument(_ typed: String, _ mountpoint: String) -> PathArgument {
      PathArgument(typed: typed, absolute: nil, mountpoint: mountpoint)
    }
    #expect(argument(composed + "/x", composed) == (try path("x")))
    #expect(argument(composed + "/x", decomposed) == (try path("mnt/\u{E1}/x")))
    #expect(argument("/mnt/a\u{301}", "/mnt") == (try path("a\u{301}")))
    #expect(argument("/mnt/a\u{301}", "/mnt") != (try path("\u{E1}")))
    // For Swift a slash and what follows are one character.
    #expect(argument("/mnt/\u{301}x", "/mnt") == (try path("\u{301}x")))
    let latin1 = String(pathBytes: Array("/mnt/caf".utf8) + [0xE9])
    #expect(argument(latin1, "/mnt") == .path(try SharePath(Array("caf".utf8) + [0xE9])))
    #expect(argument(latin1 + "/x", latin1) == (try path("x")))
  }

  @Test func `what leaves the share is no path in it`() {
    for typed in ["..", "a/../b", String(repeating: "n", count: 256)] {
      let argument = PathArgument(typed: typed, absolute: nil, mountpoint: "/mnt/share")
      guard case .invalid = argument else { return #expect(Bool(false), "\(argument)") }
    }
  }
}
