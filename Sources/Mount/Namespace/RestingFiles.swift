import Core
import Protocol
import System

/// Own files that nobody has open, waits for or asks about, without nodes: a tenth of the room.
///
/// A file rests once the kernel knows nothing of it and all that there is to it is what it was
/// announced as; it becomes a node again when somebody asks for its name or its entry.
struct RestingFiles {
  private struct File {
    let entry: EntryID
    let version: Version
    let size: UInt64
    let modified: FileTime
    let changed: FileTime
    let accessed: FileTime
    let blocks: UInt64
    let identity: FileIdentity
    let order: UInt64
    /// 0 of a record that is free.
    var directory: InodeNumber
    let owner: PublicID
    let user: UInt32
    let group: UInt32
    var name: NamePool.Offset
    let nameLength: UInt8
    let isLineOlder: Bool
    let isIgnored: Bool
    let mode: UInt16
    /// Of those in the same directory.
    var next: UInt32
    var previous: UInt32
  }

  private var files = Arena<File>()
  private var names = NamePool()
  private var byEntry = IndexTable()
  private var byName = IndexTable()

  /// The directory of an own file that rests, and its name there.
  func place(of entry: EntryID) -> (directory: InodeNumber, name: Name)? {
    let found = byEntry.find(IndexTable.hash(entry)) { files[$0].entry == entry }
    return found.map { (files[$0].directory, name(of: $0)) }
  }

  func contains(_ name: Name, in directory: Node) -> Bool { number(of: name, in: directory) != nil }

  /// The names of the files that rest in a directory.
  func names(in directory: Node) -> [Name] {
    numbers(in: directory).map { name(of: $0) }
  }

  /// Bytes of the longest of them; 0 where there are none.
  func longestName(in directory: Node) -> Int {
    numbers(in: directory).map { Int(files[$0].nameLength) }.max() ?? 0
  }

  private func numbers(in directory: Node) -> some Sequence<UInt32> {
    sequence(first: directory.firstResting) { files[$0].next }.prefix { $0 != noRecord }
  }

  private func number(of name: Name, in directory: Node) -> UInt32? {
    if directory.firstResting == noRecord { return nil }
    return byName.find(Self.hash(directory.number, name.bytes[...])) {
      files[$0].directory == directory.number && bytes(of: $0) == name.bytes[...]
    }
  }

  private func bytes(of number: UInt32) -> ArraySlice<UInt8> {
    names[files[number].name, Int(files[number].nameLength)]
  }

  private func name(of number: UInt32) -> Name { Name(unchecked: bytes(of: number)) }

  private static func hash(_ directory: InodeNumber, _ name: ArraySlice<UInt8>) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(directory)
    name.hashBytes(into: &hasher)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}

extension RestingFiles {
  /// Takes what is at a name of a directory, if it can rest. Returns: whether it does now.
  mutating func put(_ slot: Slot, _ name: Name, in directory: Node) -> Bool {
    let node = slot.node
    guard node.lookups == 0, slot.beneath == nil, slot.occupied == nil,
      slot.claims.count == 1, let claim = slot.claims.first, claim.isOwn,
      let own = node.own, own.isResting, let record = own.record,
      node.entry == claim.entry, claim.entry == claim.entry.resting,
      record == FileRecord(resting: claim.entry, node.attributes.file, record.changed),
      node.attributes == Attributes(resting: claim.entry, record, like: node.attributes)
    else { return false }
    let (entry, attributes) = (claim.entry, node.attributes)
    let number = files.insert(
      File(
        entry: entry.id, version: entry.version, size: entry.size, modified: entry.modified,
        changed: record.changed, accessed: attributes.accessed, blocks: attributes.blocks,
        identity: FileIdentity(device: record.device, inode: record.inode), order: node.order,
        directory: directory.number, owner: claim.owner, user: attributes.user,
        group: attributes.group, name: names.insert(name.bytes[...]),
        nameLength: UInt8(name.bytes.count), isLineOlder: own.isLineOlder,
        isIgnored: own.sharing == .ignored, mode: entry.mode,
        next: directory.firstResting, previous: noRecord))
    if directory.firstResting != noRecord { files[directory.firstResting].previous = number }
    directory.firstResting = number
    byEntry.insert(IndexTable.hash(entry.id), number)
    byName.insert(Self.hash(directory.number, name.bytes[...]), number)
    return true
  }

  /// Gives back what rests at a name: its claim, with its node by `makeNode`; nil where nothing
  /// does.
  mutating func take(
    _ name: Name, from directory: Node, makeNode: (EntryKind, Attributes) -> Node
  ) -> Slot? {
    guard let number = number(of: name, in: directory),
      let path = try? SharePath(parent: directory.path, name: name)
    else { return nil }
    let file = files[number]
    byName.remove(Self.hash(directory.number, name.bytes[...]), number)
    byEntry.remove(IndexTable.hash(file.entry), number)
    if file.next != noRecord { files[file.next].previous = file.previous }
    if file.previous != noRecord {
      files[file.previous].next = file.next
    } else {
      directory.firstResting = file.next
    }
    files[number].directory = 0
    files.remove(number)
    names.remove(length: Int(file.nameLength))
    if names.isMostlyGarbage { renewNames() }
    let entry = Entry(
      id: file.entry, path: path, kind: .file, version: file.version, size: file.size,
      modified: file.modified, mode: file.mode)
    let record = FileRecord(resting: entry, file.identity, file.changed)
    var attributes = Attributes(foreign: entry)
    attributes.user = file.user
    attributes.group = file.group
    attributes.accessed = file.accessed
    attributes.blocks = file.blocks
    let node = makeNode(.file, Attributes(resting: entry, record, like: attributes))
    let claim = Claim(entry: entry, owner: file.owner, claimed: 0, isOwn: true)
    node.show(claim)
    node.own!.isAnnounced = true
    node.own!.record = record
    node.own!.isLineOlder = file.isLineOlder
    node.own!.sharing = file.isIgnored ? .ignored : .told
    node.attach(to: directory, name, order: file.order)
    return Slot(claims: [claim], node: node)
  }

  /// Makes the pool of names anew, without those that are gone.
  private mutating func renewNames() {
    var renewed = NamePool()
    for number in 0..<files.end where files[number].directory != 0 {
      files[number].name = renewed.insert(bytes(of: number))
    }
    names = renewed
  }
}

extension Entry {
  /// Itself, with nothing but what is kept of a file that rests.
  fileprivate var resting: Entry {
    Entry(
      id: id, path: path, kind: .file, version: version, size: size, modified: modified,
      mode: mode)
  }
}

extension FileRecord {
  /// Of a file that rests: it is as it was announced.
  fileprivate init(resting entry: Entry, _ identity: FileIdentity?, _ changed: FileTime) {
    self.init(
      device: identity?.device ?? 0, inode: identity?.inode ?? 0,
      size: Int64(clamping: entry.size), modified: entry.modified, changed: changed)
  }
}

extension Attributes {
  /// Of a file that rests: what its entry and record say, and of `other` what they do not.
  fileprivate init(resting entry: Entry, _ record: FileRecord, like other: Attributes) {
    self = other
    special = 0
    device = 0
    mode = UInt32(entry.mode)
    size = entry.size
    modified = entry.modified
    changed = record.changed
    file = FileIdentity(device: record.device, inode: record.inode)
    hasOtherNames = false
  }
}
