import Core
import Protocol
import Testing

/// Who may have a path.
struct ShareListTests {
  private func list(_ listed: (Entry, PublicID)...) -> ShareList {
    var list = ShareList()
    var deltas: [ListDelta] = []
    for (index, one) in listed.enumerated() {
      list.upsert(
        ListedEntry(entry: one.0, owner: one.1, claimed: UInt64(index + 1)), into: &deltas)
    }
    return list
  }

  @Test func `a path that nobody has can be claimed`() {
    #expect(list().rejection(of: entry(1, "a"), owner: alice) == nil)
  }

  @Test func `somebody else's file keeps its path`() {
    #expect(list((entry(1, "a"), alice)).rejection(of: entry(2, "a"), owner: bob) == .exists)
  }

  @Test func `an own file gives way to another one`() {
    #expect(list((entry(1, "a"), alice)).rejection(of: entry(2, "a"), owner: alice) == nil)
  }

  @Test func `directories of two owners share a path`() {
    let list = list((entry(1, "a", .directory), alice))
    #expect(list.rejection(of: entry(2, "a", .directory), owner: bob) == nil)
  }

  @Test func `a file cannot take somebody else's directory's path`() {
    let list = list((entry(1, "a", .directory), alice))
    #expect(list.rejection(of: entry(2, "a"), owner: bob) == .exists)
  }

  @Test func `a file cannot take an own directory's path`() {
    let list = list((entry(1, "a", .directory), alice))
    #expect(list.rejection(of: entry(2, "a"), owner: alice) == .isADirectory)
  }

  @Test func `a directory cannot take an own file's path`() {
    #expect(
      list((entry(1, "a"), alice)).rejection(of: entry(2, "a", .directory), owner: alice)
        == .exists)
  }

  @Test func `nothing lies below a file`() {
    #expect(
      list((entry(1, "a"), alice)).rejection(of: entry(2, "a/b/c"), owner: bob)
        == .notADirectory)
  }

  @Test func `a file cannot stand where something lies below`() {
    #expect(
      list((entry(1, "a/b"), alice)).rejection(of: entry(2, "a"), owner: bob) == .isADirectory)
  }

  @Test func `an entry of somebody else is not reached by its id`() {
    let list = list((entry(1, "a"), alice))
    #expect(list.rejection(of: entry(1, "b"), owner: bob) == nil)
    #expect(list.rejection(of: entry(1, "a"), owner: bob) == .exists)
  }

  @Test func `the earliest claim of a path shows`() {
    var list = ShareList()
    var deltas: [ListDelta] = []
    list.upsert(
      ListedEntry(entry: entry(1, "a"), owner: alice, claimed: 5), into: &deltas)
    list.upsert(ListedEntry(entry: entry(2, "a"), owner: bob, claimed: 3), into: &deltas)
    #expect(list.visible(at: path("a"))?.owner == bob)
    list.remove(EntryKey(bob, id(2)), into: &deltas)
    #expect(list.visible(at: path("a"))?.owner == alice)
  }

  @Test func `an entry that is told again as it is changes nothing`() {
    var list = list((entry(1, "a"), alice))
    var deltas: [ListDelta] = []
    list.upsert(ListedEntry(entry: entry(1, "a"), owner: alice, claimed: 1), into: &deltas)
    #expect(deltas.isEmpty)
  }

  @Test func `a path is free once all below it is gone`() {
    var list = list((entry(1, "a/b/c"), alice))
    var deltas: [ListDelta] = []
    list.remove(EntryKey(alice, id(1)), into: &deltas)
    #expect(list.rejection(of: entry(2, "a"), owner: bob) == nil)
    #expect(list.count == 0 && list.count(ownedBy: alice) == 0)
  }
}
