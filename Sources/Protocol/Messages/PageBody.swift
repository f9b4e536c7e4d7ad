/// An entry of the list, with its owner and its place in the order of claims.
package struct ListedEntry: Hashable, Sendable {
  package var entry: Entry
  package let owner: PublicID
  /// The seq at which the path was claimed: the earlier claim of a path is the one that shows.
  package var claimed: UInt64
  package var key: EntryKey { EntryKey(owner, entry.id) }
  package init(entry: Entry, owner: PublicID, claimed: UInt64) {
    self.entry = entry
    self.owner = owner
    self.claimed = claimed
  }
}

/// One thing that a page of the list tells.
package enum PageItem: Equatable, Sendable {
  case entry(ListedEntry)
  case removed(EntryKey)
  case member(MemberRecord)

  /// Upper bound of the bytes it takes in a page.
  package var encodedBound: Int {
    switch self {
    case .entry(let listed): 16 + listed.entry.encodedBound
    case .removed: 21
    case .member(let member):
      20 + member.name.text.utf8.count + 2 * DeviceKey.partLength + MemberRecord.signatureLength
    }
  }
}

/// The plain body of FILES_PAGE.
package struct PageBody: Equatable, Sendable {
  /// Who asked for it.
  package let asker: PublicID
  /// The head of the list that it was taken from.
  package let head: ListMark
  package var items: [PageItem]
  package init(asker: PublicID = .master, head: ListMark = .none, items: [PageItem]) {
    self.asker = asker
    self.head = head
    self.items = items
  }

  /// Bytes before the items.
  package static let headLength = 4 + ListMark.length + 4

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: items.reduce(Self.headLength) { $0 + $1.encodedBound })
    writer.put(asker)
    writer.put(head)
    writer.put(UInt32(items.count))
    for item in items {
      switch item {
      case .entry(let listed):
        writer.put(UInt8(1))
        writer.put(listed.owner)
        writer.put(listed.claimed)
        listed.entry.encode(into: &writer)
      case .removed(let key):
        writer.put(UInt8(2))
        writer.put(key.owner)
        writer.put(key.id)
      case .member(let member):
        writer.put(UInt8(3))
        writer.put(member)
      }
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(DecodingFault) {
    var reader = ByteReader(bytes)
    asker = try reader.publicID()
    head = try reader.listMark()
    let count = try reader.count(of: 8, atMost: Limits.controlMessage)
    items = []
    items.reserveCapacity(count)
    for _ in 0..<count {
      switch try reader.uint8() {
      case 1:
        let owner = try reader.publicID()
        let claimed = try reader.uint64()
        items.append(
          .entry(ListedEntry(entry: try Entry(from: &reader), owner: owner, claimed: claimed)))
      case 2: items.append(.removed(EntryKey(try reader.publicID(), try reader.randomID())))
      case 3: items.append(.member(try reader.memberRecord()))
      default: throw .invalid("page item")
      }
    }
    try reader.finish()
  }
}
