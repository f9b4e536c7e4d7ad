import Core
import Protocol
import Simulation
import Testing

/// The list beside a model of it, through random changes.
@Suite struct ListModelTests {
  /// Few names and owners, so that everything meets everything.
  private struct Changes {
    var random: SeededGenerator
    var list = ShareList()
    var model = ModelList()
    var paths: Set<SharePath> = []

    mutating func path() throws -> SharePath {
      let depth = Int.random(in: 1...4, using: &random)
      let parts = (0..<depth).map { _ in
        String(repeating: "n", count: Int.random(in: 1...3, using: &random))
          + "\(Int.random(in: 0..<4, using: &random))"
      }
      let path = try SharePath(Array(parts.joined(separator: "/").utf8))
      paths.insert(path)
      return path
    }

    mutating func listed() throws -> ListedEntry {
      let kind = [EntryKind.file, .directory, .symlink].randomElement(using: &random)!
      let grown = kind == .file && Bool.random(using: &random)
      return ListedEntry(
        entry: Entry(
          id: RandomID(high: 0, low: .random(in: 0..<60, using: &random)), path: try path(),
          kind: kind, version: RandomID(high: 1, low: .random(in: 0..<3, using: &random)),
          size: kind == .file ? .random(in: 0..<3, using: &random) : 0,
          modified: FileTime(seconds: .random(in: -1...1, using: &random)), mode: 0o644,
          target: kind == .symlink ? [0x78] : [],
          beginning: grown ? RandomID(high: 2, low: 2) : nil),
        owner: PublicID(.random(in: 0..<3, using: &random)),
        claimed: .random(in: 0..<5, using: &random))
    }

    mutating func step() throws {
      var (ours, theirs): ([ListDelta], [ListDelta]) = ([], [])
      let one = try listed()
      switch Int.random(in: 0..<100, using: &random) {
      case 0:
        list.removeAll(ownedBy: one.owner, into: &ours)
        model.removeAll(ownedBy: one.owner, into: &theirs)
      case 1..<35:
        list.remove(one.key, into: &ours)
        model.remove(one.key, into: &theirs)
      case 35..<45:
        // The same place once more, with another content or claim.
        if var known = model[one.key] {
          known.entry.size += 1
          known.claimed = one.claimed
          list.upsert(known, into: &ours)
          model.upsert(known, into: &theirs)
        }
      default:
        list.upsert(one, into: &ours)
        model.upsert(one, into: &theirs)
      }
      #expect(ours == theirs)
    }

    /// What a mount shows of it: without what is one's own, or of somebody who is gone.
    func checkViews() {
      for (own, gone) in [(0, []), (1, [2]), (2, [0, 1])] as [(UInt32, [UInt32])] {
        let hidden = Set((gone + [own]).map { PublicID($0) })
        let view = ListView(list, own: PublicID(own), gone: Set(gone.map { PublicID($0) }))
        let shown = model.sorted.filter { !hidden.contains($0.owner) }
        for path in paths {
          let below = shown.filter { $0.entry.path.isBelow(path) }
          let here = shown.filter { $0.entry.path == path }
          #expect(view.isAbove(path) == !below.isEmpty)
          #expect(view.shows(path) == !(below.isEmpty && here.isEmpty))
          let first = view.first(below: path.parent, path.name)
          #expect(first.map { below.contains($0) } ?? below.isEmpty)
          let item = view.item(path.name, in: path.parent)
          #expect(Set((item?.claims ?? []).map(\.key)) == Set(here.map(\.key)))
          #expect((item?.isAbove ?? false) == !below.isEmpty)
          let names = Set(below.map { $0.entry.path.names[path.depth + 1] })
          #expect(Set(view.items(in: path).map(\.name)) == names)
        }
        #expect(view.isAbove(nil) == !shown.isEmpty)
      }
    }

    func check() {
      checkViews()
      #expect(list.count == model.count && list.sorted == model.sorted)
      #expect(Set(list.unordered.map(\.key)).count == model.count)
      #expect(list.owners == model.owners)
      for owner in (0..<4).map({ PublicID($0) }) {
        #expect(list.count(ownedBy: owner) == model.count(ownedBy: owner))
        #expect(list.pathBytes(ownedBy: owner) == model.pathBytes(ownedBy: owner))
        #expect(list.ids(ownedBy: owner) == model.ids(ownedBy: owner))
        #expect(list.entries(ownedBy: owner) == model.entries(ownedBy: owner))
      }
      for path in paths {
        #expect(list.visible(at: path) == model.visible(at: path))
        #expect(list.isAbove(path) == model.isAbove(path))
        for (id, kind) in [(0, EntryKind.file), (1, .directory), (59, .file)]
          as [(UInt64, EntryKind)]
        {
          let key = EntryKey(PublicID(1), RandomID(high: 0, low: id))
          #expect(
            list.rejection(of: path, kind: kind, key: key)
              == model.rejection(of: path, kind: kind, key: key))
          #expect(
            Set(list.replaced(by: key, at: path)) == Set(model.replaced(by: key, at: path)))
        }
      }
      for listed in model.sorted {
        let below = list.subtree(of: listed.key)
        #expect(below.first == listed)
        #expect(Set(below) == Set(model.subtree(of: listed.key)) && Set(below).count == below.count)
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `the list does what its model does`(seed: UInt64) throws {
    var changes = Changes(random: SeededGenerator(seed: seed))
    var copies: [Changes] = []
    for step in 1...600 {
      try changes.step()
      if step.isMultiple(of: 60) { changes.check() }
      if step.isMultiple(of: 150) { copies.append(changes) }
    }
    // What a copy has, later changes do not reach, nor the copy's the list.
    for copy in copies {
      copy.check()
      var other = copy
      for _ in 0..<50 { try other.step() }
      other.check()
      copy.check()
    }
    changes.check()
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `a list that is built in the order of its tree does the same`(seed: UInt64) throws {
    var changes = Changes(random: SeededGenerator(seed: seed))
    for _ in 0..<300 { try changes.step() }
    let entries = Array(changes.list.inTreeOrder)
    #expect(entries.count == changes.list.count)
    var builder = ListBuilder()
    changes.model = ModelList()
    var deltas: [ListDelta] = []
    for listed in entries {
      builder.append(listed)
      changes.model.upsert(listed, into: &deltas)
    }
    var twice = builder
    for listed in entries { twice.append(listed) }
    #expect(twice.finish() == nil)
    changes.list = try #require(builder.finish())
    changes.check()
    for _ in 0..<200 { try changes.step() }
    changes.check()
  }

  @Test func `a list in another order is none`() throws {
    var builder = ListBuilder()
    for (number, path) in ["a/1", "b/1", "a/2"].enumerated() {
      builder.append(
        ListedEntry(
          entry: Entry(
            id: RandomID(high: 1, low: UInt64(number)), path: try SharePath(Array(path.utf8)),
            kind: .file, version: RandomID(high: 2, low: 1), size: 0,
            modified: FileTime(seconds: 0), mode: 0o644),
          owner: PublicID(1), claimed: 1))
    }
    #expect(builder.finish() == nil)
    #expect(try #require(ListBuilder().finish()).count == 0)
  }

  @Test func `a large list is found, copied and emptied`() throws {
    var list = ShareList()
    var deltas: [ListDelta] = []
    func listed(_ number: UInt64, _ name: String) throws -> ListedEntry {
      ListedEntry(
        entry: Entry(
          id: RandomID(high: 7, low: number),
          path: try SharePath(Array("folder \(number % 100)/\(name) \(number)".utf8)), kind: .file,
          version: RandomID(high: 1, low: number), size: number, modified: FileTime(seconds: 1),
          mode: 0o644), owner: PublicID(1), claimed: number)
    }
    let count: UInt64 = 20_000
    for number in 0..<count { list.upsert(try listed(number, "a name"), into: &deltas) }
    let copy = list
    // All names change, several times: what they took before is taken again.
    for round in 0..<4 {
      for number in 0..<count { list.upsert(try listed(number, "other \(round)"), into: &deltas) }
    }
    for number in 0..<count {
      #expect(
        try copy[EntryKey(PublicID(1), RandomID(high: 7, low: number))] == listed(number, "a name"))
      #expect(
        try list.visible(at: listed(number, "other 3").entry.path) == listed(number, "other 3"))
    }
    list.removeAll(ownedBy: PublicID(1), into: &deltas)
    #expect(list.count == 0 && list.pathBytes(ownedBy: PublicID(1)) == 0 && list.owners.isEmpty)
    #expect(copy.count == Int(count))
  }
}
