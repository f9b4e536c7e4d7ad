import Protocol
import Runtime
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

  @Test func `what leaves the share is no path in it`() {
    for typed in ["..", "a/../b", String(repeating: "n", count: 256)] {
      let argument = PathArgument(typed: typed, absolute: nil, mountpoint: "/mnt/share")
      guard case .invalid = argument else { return #expect(Bool(false), "\(argument)") }
    }
  }
}
