import Core
import Testing

struct ChosenPathsTests {
  @Test func `a folder is chosen with all below it, and with nothing beside it`() {
    var chosen = ChosenPaths()
    chosen.insert(path("docs/big"))
    for below in ["docs/big", "docs/big/a", "docs/big/a/b"] { #expect(chosen.covers(path(below))) }
    for beside in ["docs", "docs/bigger", "docs/b", "big"] { #expect(!chosen.covers(path(beside))) }
    #expect(!chosen.covers(nil))
  }

  @Test func `everything covers everything, and is taken out only as a whole`() {
    var chosen = ChosenPaths()
    chosen.insert(path("a"))
    chosen.insert(nil)
    #expect(chosen.covers(path("b/c")) && chosen.covers(nil) && chosen.paths.isEmpty)
    #expect(chosen.remove(path("b")) == .isBelow(nil))
    #expect(chosen.remove(nil) == .removed)
    #expect(chosen.isEmpty && !chosen.covers(path("a")))
    #expect(chosen.remove(nil) == .wasAbsent)
  }

  @Test func `a folder takes in what was chosen below it, and takes it out too`() {
    var chosen = ChosenPaths()
    chosen.insert(path("a/b/c"))
    chosen.insert(path("x"))
    chosen.insert(path("a"))
    chosen.insert(path("a/b"))
    #expect(chosen.paths == [path("a"), path("x")])
    #expect(chosen.remove(path("a/b")) == .isBelow(path("a")))
    #expect(chosen.remove(path("y")) == .wasAbsent)
    #expect(chosen.remove(path("a")) == .removed)
    #expect(chosen.paths == [path("x")])
  }

  @Test func `a folder that is not chosen itself takes out what is chosen below it`() {
    var chosen = ChosenPaths()
    chosen.insert(path("a/b"))
    chosen.insert(path("a/c"))
    #expect(chosen.remove(path("a")) == .removed)
    #expect(chosen.isEmpty)
  }
}
