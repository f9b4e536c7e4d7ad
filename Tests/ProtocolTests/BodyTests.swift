import Protocol
import Testing

/// The bodies inside messages: proposed changes, ordered changes, pages.
struct BodyTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `a proposed change comes back as it was`(seed: UInt64) throws {
    var generator = TestGenerator(seed: seed)
    let change: ProposedChange =
      switch seed % 4 {
      case 0:
        .add((0..<generator.below(5)).map { _ in generator.entry() }, reclaims: seed % 8 == 0)
      case 1: .remove(generator.randomID())
      case 2: .rename(generator.randomID(), to: generator.path())
      default: .name(generator.deviceName())
      }
    let transfer = generator.transfer()
    let message = try Message(decoding: change.message(transfer, oldest: 7).encoded())
    let decoded = try #require(try ProposedChange.decode(message))
    #expect(decoded.change == change)
    #expect(decoded.proposal.transfer == transfer && decoded.proposal.oldest == 7)
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func `an ordered change comes back as it was`(seed: UInt64) throws {
    var generator = TestGenerator(seed: seed)
    let change: Change =
      switch seed % 8 {
      case 0:
        .added(
          (0..<generator.below(4)).map { _ in generator.entry() },
          rejected: (0..<generator.below(4)).map { _ in
            RejectedEntry(entry: generator.randomID(), reason: .listFull)
          })
      case 1: .removed(generator.randomID())
      case 2: .renamed(generator.randomID(), to: generator.path(), rejection: nil)
      case 3: .renamed(generator.randomID(), to: generator.path(), rejection: .pathTooLong)
      case 4: .named(generator.deviceName())
      case 5: .approved(generator.memberRecord())
      case 6: .disapproved(generator.memberRecord())
      default: .released(generator.publicID())
      }
    let isDecision = seed % 8 == 5 || seed % 8 == 6
    let ordered = OrderedChange(
      order: generator.order(), sender: isDecision ? .master : generator.publicID(),
      transfer: isDecision ? TransferID(incarnation: 0, counter: 0) : generator.transfer(),
      change: change, history: generator.history())
    for toHub in [false, true] {
      let message = try Message(decoding: ordered.message(toHub: toHub).encoded())
      #expect(try OrderedChange.decode(message) == ordered)
    }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `a page comes back as it was`(seed: UInt64) throws {
    var generator = TestGenerator(seed: seed)
    let body = PageBody(
      asker: generator.publicID(), head: generator.mark(),
      items: (0..<generator.below(6)).map { _ in
        switch generator.below(3) {
        case 0:
          .entry(
            ListedEntry(
              entry: generator.entry(), owner: generator.publicID(), claimed: generator.next()))
        case 1: .removed(EntryKey(generator.publicID(), generator.randomID()))
        default: .member(generator.memberRecord())
        }
      })
    let bytes = body.encoded()
    #expect(try PageBody(decoding: bytes) == body)
    #expect(bytes.count <= body.items.reduce(PageBody.headLength) { $0 + $1.encodedBound })
    for count in 0..<bytes.count {
      #expect(throws: DecodingFault.self) { try PageBody(decoding: Array(bytes.prefix(count))) }
    }
    #expect(throws: DecodingFault.trailingBytes) { try PageBody(decoding: bytes + [0]) }
  }

  @Test func `a decision about another client than its envelope names is refused`() throws {
    var generator = TestGenerator(seed: 3)
    let ordered = OrderedChange(
      order: generator.order(), sender: .master, transfer: TransferID(incarnation: 0, counter: 0),
      change: .approved(generator.memberRecord()))
    guard case .clientApproved(let honest) = ordered.message() else { return }
    let forged = Decision(
      order: honest.order, publicID: PublicID(9), generation: honest.generation,
      body: honest.body)
    #expect(throws: DecodingFault.invalid("public id")) {
      try OrderedChange.decode(.clientApproved(forged))
    }
  }

  private func decoded(_ entry: Entry) throws -> Entry {
    var writer = ByteWriter()
    entry.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    let decoded = try Entry(from: &reader)
    try reader.finish()
    return decoded
  }

  @Test func `an entry keeps within its bound`() {
    for seed in 0..<500 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let entry = generator.entry()
      var writer = ByteWriter()
      entry.encode(into: &writer)
      #expect(writer.count <= entry.encodedBound, "seed \(seed)")
    }
  }

  @Test func `a file that has grown names its beginning behind all other fields`() throws {
    let plain = Entry(
      id: RandomID(high: 1, low: 2), path: try SharePath(Array("a".utf8)), kind: .file,
      version: RandomID(high: 3, low: 4), size: 5, modified: FileTime(seconds: 6), mode: 0o644)
    var grown = plain
    grown.beginning = RandomID(high: 7, low: 8)
    var (one, other) = (ByteWriter(), ByteWriter())
    plain.encode(into: &one)
    grown.encode(into: &other)
    var expected = one.bytes
    expected[16] = 4
    expected += [7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]
    #expect(other.bytes == expected)
    #expect(try decoded(grown) == grown)

    grown.beginning = grown.version
    #expect(throws: DecodingFault.self) { try decoded(grown) }
    for count in 0..<expected.count {
      var reader = ByteReader(Array(expected.prefix(count)))
      #expect(throws: DecodingFault.self) { try Entry(from: &reader) }
    }
  }

  @Test func `growth is of one entry and one line, and never shrinks`() throws {
    func file(_ version: UInt64, _ size: UInt64, _ beginning: UInt64?, id: UInt64 = 1) throws
      -> Entry
    {
      Entry(
        id: RandomID(high: 0, low: id), path: try SharePath(Array("a".utf8)), kind: .file,
        version: RandomID(high: 0, low: version), size: size, modified: FileTime(seconds: 0),
        mode: 0,
        beginning: beginning.map { RandomID(high: 0, low: $0) })
    }
    let first = try file(1, 10, nil)
    #expect(try file(2, 12, 1).hasGrown(from: first))
    #expect(try file(2, 10, 1).hasGrown(from: first))
    // Versions between that were never heard of do no harm.
    #expect(try file(9, 20, 1).hasGrown(from: file(2, 12, 1)))
    #expect(try !file(2, 9, 1).hasGrown(from: first))
    #expect(try !file(2, 12, nil).hasGrown(from: first))
    #expect(try !file(2, 12, 1, id: 3).hasGrown(from: first))
    #expect(!first.hasGrown(from: first))
  }

  @Test func `an entry that does not fit its kind is refused`() throws {
    let path = try SharePath(Array("a/b".utf8))
    func entry(_ kind: EntryKind, size: UInt64, target: String) -> Entry {
      Entry(
        id: .zero, path: path, kind: kind, version: .zero, size: size,
        modified: FileTime(seconds: 0), mode: 0,
        target: Array(target.utf8))
    }
    for wrong in [
      entry(.file, size: 1, target: "x"), entry(.directory, size: 1, target: ""),
      entry(.directory, size: 0, target: "x"), entry(.symlink, size: 0, target: ""),
      entry(.symlink, size: 1, target: "/x"), entry(.symlink, size: 1, target: "../../x"),
      entry(.file, size: Limits.fileSize + 1, target: ""),
    ] {
      #expect(throws: DecodingFault.self) { try decoded(wrong) }
    }
    #expect(try decoded(entry(.symlink, size: 4, target: "../x")).kind == .symlink)
  }
}
