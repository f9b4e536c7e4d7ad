import Core
import Testing

struct PausedPathsTests {
  @Test func `a folder is paused with all below it, and with nothing beside it`() {
    var paused = PausedPaths()
    paused.pause(path("docs/big"))
    for below in ["docs/big", "docs/big/a", "docs/big/a/b"] { #expect(paused.covers(path(below))) }
    for beside in ["docs", "docs/bigger", "docs/b", "big"] { #expect(!paused.covers(path(beside))) }
    #expect(!paused.covers(nil))
  }

  @Test func `everything covers everything, and goes on only as a whole`() {
    var paused = PausedPaths()
    paused.pause(path("a"))
    paused.pause(nil)
    #expect(paused.covers(path("b/c")) && paused.covers(nil) && paused.paths.isEmpty)
    #expect(paused.resume(path("b")) == .isBelow(nil))
    #expect(paused.resume(nil) == .resumed)
    #expect(paused.isEmpty && !paused.covers(path("a")))
    #expect(paused.resume(nil) == .wasNotPaused)
  }

  @Test func `a folder takes in what was paused below it, and lets it go on too`() {
    var paused = PausedPaths()
    paused.pause(path("a/b/c"))
    paused.pause(path("x"))
    paused.pause(path("a"))
    paused.pause(path("a/b"))
    #expect(paused.paths == [path("a"), path("x")])
    #expect(paused.resume(path("a/b")) == .isBelow(path("a")))
    #expect(paused.resume(path("y")) == .wasNotPaused)
    #expect(paused.resume(path("a")) == .resumed)
    #expect(paused.paths == [path("x")])
  }

  @Test func `a folder that is not paused itself lets go on what is paused below it`() {
    var paused = PausedPaths()
    paused.pause(path("a/b"))
    paused.pause(path("a/c"))
    #expect(paused.resume(path("a")) == .resumed)
    #expect(paused.isEmpty)
  }
}
