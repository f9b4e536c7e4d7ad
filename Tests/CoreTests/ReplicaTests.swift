import Core
import Protocol
import Testing

/// What an ordered change does to a list.
struct ReplicaTests {
  @Test func `renaming a directory moves all own entries below it`() {
    var author = Author()
    author.add(entry(1, "a", .directory), entry(2, "a/b"), entry(3, "a/c/d"), entry(4, "ab"))
    author.order(.renamed(id(1), to: path("x/y"), rejection: nil))
    let paths = author.replica.list.sorted.map(\.entry.path)
    #expect(paths == [path("x/y"), path("x/y/b"), path("x/y/c/d"), path("ab")])
  }

  @Test func `renaming a directory leaves others' entries below it where they are`() {
    var author = Author()
    author.add(entry(1, "a", .directory))
    author.add(entry(2, "a", .directory), entry(3, "a/b"), by: bob)
    author.order(.renamed(id(1), to: path("x"), rejection: nil))
    #expect(author.replica.list[EntryKey(bob, id(3))]?.entry.path == path("a/b"))
  }

  @Test func `renaming over an own file replaces it in one change`() {
    var author = Author()
    author.add(entry(1, "a"), entry(2, "b"))
    let deltas = author.order(.renamed(id(1), to: path("b"), rejection: nil))
    #expect(deltas.count == 2)
    #expect(author.replica.list[EntryKey(alice, id(2))] == nil)
    #expect(author.replica.list.visible(at: path("b"))?.entry.id == id(1))
  }

  @Test func `a rename claims the new path from now on`() {
    var author = Author()
    author.add(entry(1, "a"))
    author.order(.renamed(id(1), to: path("b"), rejection: nil))
    #expect(author.replica.list[EntryKey(alice, id(1))]?.claimed == 2)
  }

  @Test func `new content keeps the claim`() {
    var author = Author()
    author.add(entry(1, "a"))
    author.add(entry(1, "a", version: 5, size: 7))
    #expect(author.replica.list[EntryKey(alice, id(1))]?.claimed == 1)
    #expect(author.replica.list[EntryKey(alice, id(1))]?.entry.size == 7)
  }

  @Test func `a rename onto somebody else's file is refused`() {
    var author = Author()
    author.add(entry(1, "a"))
    author.add(entry(2, "b"), by: bob)
    let reason = author.replica.rejection(ofRenaming: id(1), to: path("b"), by: alice)
    #expect(reason == .exists)
  }

  @Test func `a rename is refused where something below it would meet somebody else's file`() {
    var author = Author()
    author.add(entry(1, "a", .directory), entry(2, "a/x"))
    author.add(entry(3, "b", .directory), entry(4, "b/x"), by: bob)
    let reason = author.replica.rejection(ofRenaming: id(1), to: path("b"), by: alice)
    #expect(reason == .exists)
  }

  @Test func `a rename is refused where something below it would meet another own file`() {
    var author = Author()
    author.add(entry(1, "a", .directory), entry(2, "a/x"), entry(3, "b/x"))
    let replica = author.replica
    #expect(replica.rejection(ofRenaming: id(1), to: path("b"), by: alice) == .exists)
    // What moves along is in nobody's way.
    author.add(entry(4, "c/c", .directory), entry(5, "c/c/d"), entry(6, "c/c/e"))
    #expect(author.replica.rejection(ofRenaming: id(4), to: path("c"), by: alice) == nil)
  }

  @Test func `a directory cannot be renamed into itself`() {
    var author = Author()
    author.add(entry(1, "a", .directory))
    let reason = author.replica.rejection(ofRenaming: id(1), to: path("a/b"), by: alice)
    #expect(reason == .exists)
  }

  @Test func `a rename of what is not there or not one's own is refused`() {
    var author = Author()
    author.add(entry(1, "a"))
    let replica = author.replica
    #expect(replica.rejection(ofRenaming: id(9), to: path("b"), by: alice) == .unknownEntry)
    #expect(replica.rejection(ofRenaming: id(1), to: path("b"), by: bob) == .unknownEntry)
  }

  @Test func `a rename is refused where a path below would get too long`() {
    let part = String(repeating: "l", count: 255)
    let deep = Array(repeating: part, count: 15).joined(separator: "/")
    var author = Author()
    author.add(entry(1, "a", .directory), entry(2, "a/" + part))
    let reason = author.replica.rejection(
      ofRenaming: id(1), to: path(deep + "/" + part), by: alice)
    #expect(reason == .pathTooLong)
  }

  @Test func `a rename is refused from where a symlink below would lead out`() {
    var author = Author()
    var link = entry(2, "a/b/link", .symlink)
    link.target = Array("../../x".utf8)
    author.add(entry(1, "a", .directory), entry(3, "a/b", .directory), link)
    let replica = author.replica
    #expect(replica.rejection(ofRenaming: id(3), to: path("b"), by: alice) == .linkLeadsOut)
    #expect(replica.rejection(ofRenaming: id(2), to: path("a/link"), by: alice) == .linkLeadsOut)
    #expect(replica.rejection(ofRenaming: id(3), to: path("a/c"), by: alice) == nil)
  }

  @Test func `an id that somebody else says again is another entry`() {
    var author = Author()
    author.add(entry(1, "a"), entry(2, "dir", .directory), entry(3, "dir/x"))
    // The same ids, versions and all, at other paths.
    author.add(entry(1, "b", size: 99), entry(2, "d", .directory), entry(3, "d/y"), by: bob)
    #expect(author.replica.list.count == 6)
    #expect(author.replica.list[EntryKey(alice, id(1))]?.entry.size == 10)
    author.order(.renamed(id(2), to: path("e"), rejection: nil), by: bob)
    author.order(.removed(id(1)), by: bob)
    author.order(.removed(id(3)), by: bob)
    let left = author.replica.list.sorted.map {
      "\($0.owner) \(String(decoding: $0.entry.path.bytes, as: UTF8.self))"
    }.sorted()
    #expect(left == ["\(alice) a", "\(alice) dir", "\(alice) dir/x", "\(bob) e"])
    // And once one of the two leaves, the other's stay.
    author.order(.released(bob), by: .master)
    #expect(author.replica.list.count == 3)
  }

  @Test func `only its owner removes an entry`() {
    var author = Author()
    author.add(entry(1, "a"))
    #expect(author.order(.removed(id(1)), by: bob).isEmpty)
    #expect(author.order(.removed(id(1)), by: alice).count == 1)
  }

  @Test func `a disapproval takes the entries and keeps the record`() {
    var author = Author()
    author.order(.approved(member(1, .approved)), by: .master)
    author.add(entry(1, "a"))
    author.order(.disapproved(member(1, .disapproved)), by: .master)
    #expect(author.replica.list.count == 0)
    #expect(author.replica.members[alice]?.admission == .disapproved)
  }

  @Test func `a release takes the entries and leaves the approval`() {
    var author = Author()
    author.order(.approved(member(1, .approved)), by: .master)
    author.add(entry(1, "a"))
    author.order(.released(alice), by: .master)
    #expect(author.replica.list.count == 0)
    #expect(author.replica.members[alice]?.admission == .approved)
  }

  @Test func `the master's name is known like every other`() throws {
    var author = Author()
    author.order(.named(deviceName("desk")), by: .master)
    #expect(author.replica.members[.master]?.name == deviceName("desk"))
    var follower = Follower()
    try follower.catchUp(with: author)
    #expect(follower.hasCaughtUp(with: author))
  }
}
