import Core
import Glibc
import Protocol
import Sealing
import System

/// The file `list` of a state folder: a member's replica, so that a later process goes on from it.
///
/// `magic 8 ‖ format UInt32 ‖ id 16`, then records, each `UInt32 length ‖ sealed bytes`. The first
/// record says whose the list is; then come groups of page bodies, each ended by a cursor: what is
/// behind the last cursor counts for nothing. The first group is a snapshot: all of the list, in
/// the order of its tree, written and read in one pass. Used by one thread at a time; blocks on the
/// disk.
struct KeptListFile {
  /// What a record is.
  enum Kind {
    static let owner: UInt8 = 1
    static let page: UInt8 = 2
    static let reached: UInt8 = 3
    /// A page of entries in the order of the tree.
    static let snapshot: UInt8 = 4
  }

  static let magic = Array("fsharels".utf8)
  static let format: UInt32 = 3
  /// Bytes of all that is before the records.
  static let headLength = 8 + 4 + 16
  /// A record is a page and its seal: what says that it is longer is damaged.
  static let recordLimit = 2 * Limits.controlMessage
  /// A file may grow by so much, beside twice what it began with, before it is worth making anew.
  private static let slack = 4 << 20

  private let file: OwnedDescriptor
  private let path: String
  private let seal: ListSeal
  /// The place of the next record.
  private var place: UInt64
  /// Bytes of the file, and of what it began with.
  private var bytes: Int
  private var bytesAtFirst: Int

  /// Goes on behind `bytes` of an open file, the place of whose next record is `place`.
  init(
    file: OwnedDescriptor, path: String, seal: ListSeal, place: UInt64, bytes: Int,
    bytesAtFirst: Int
  ) {
    self.file = file
    self.path = path
    self.seal = seal
    self.place = place
    self.bytes = bytes
    self.bytesAtFirst = bytesAtFirst
  }

  /// Makes the file anew, in the place of any that is there; durable on return. `master`: whose
  /// group it is.
  init(
    path: String, secret: [UInt8], master: Fingerprint, _ snapshot: ReplicaSnapshot
  ) throws(SystemError) {
    let id = RandomID(high: SecureRandom.uint64(), low: SecureRandom.uint64())
    guard let seal = ListSeal(secret: secret, file: id) else {
      preconditionFailure("a secret of the state folder has its length")
    }
    let staged = path + Self.stagedSuffix
    // What a crash left half made.
    _ = unlink(staged)
    let file = OwnedDescriptor(
      try retryingOnInterrupt("create \(staged)") {
        open(staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      })
    self.init(file: file, path: path, seal: seal, place: 0, bytes: 0, bytesAtFirst: 0)
    do throws(SystemError) {
      try begin(id, master, snapshot)
      try retryingOnInterrupt("fsync \(staged)") { fsync(file.raw) }
      try retryingOnInterrupt("rename \(staged) to \(path)") { rename(staged, path) }
    } catch {
      _ = unlink(staged)
      throw error
    }
    bytesAtFirst = bytes
  }

  /// Deletes the file and what may be left of one that was being made.
  static func delete(_ path: String) {
    _ = unlink(path)
    _ = unlink(path + stagedSuffix)
  }

  /// Only one process uses a state folder, so that one name is enough.
  private static let stagedSuffix = ".new"

  /// Whether most of the file is history that a fresh one would not have.
  var isWorthRewriting: Bool { bytes > 2 * bytesAtFirst + Self.slack }

  /// Appends what changed on the way to a cursor. Behind a failure the file is to be made anew.
  mutating func append(
    _ items: some Sequence<PageItem>, upTo question: ListQuestion
  ) throws(SystemError) {
    try write(Kind.page, items)
    try write(reached: question)
  }

  private mutating func write(reached question: ListQuestion) throws(SystemError) {
    // The protocol's own words for how far somebody has come.
    guard let reached = try? Message.askFiles(question).encoded() else {
      preconditionFailure("a question fits a message")
    }
    try write(Kind.reached, reached)
  }

  private mutating func begin(
    _ id: RandomID, _ master: Fingerprint, _ snapshot: ReplicaSnapshot
  ) throws(SystemError) {
    var head = ByteWriter(reserving: Self.headLength)
    for byte in Self.magic { head.put(byte) }
    head.put(Self.format)
    head.put(id)
    try File.writeAll(head.bytes, to: file.raw, path)
    bytes = head.bytes.count
    var owner = ByteWriter()
    owner.putBytes16(master.bytes)
    owner.put(snapshot.publicID)
    try write(Kind.owner, owner.bytes)
    try write(Kind.page, snapshot.members.lazy.map { .member($0) })
    try write(Kind.snapshot, snapshot.list.inTreeOrder.lazy.map { .entry($0) })
    try write(reached: snapshot.reached)
  }

  /// Writes pages of that kind.
  private mutating func write(
    _ kind: UInt8, _ items: some Sequence<PageItem>
  ) throws(SystemError) {
    var page = PageBody(items: [])
    var size = 0
    for item in items {
      if size + item.encodedBound > Limits.listBody, !page.items.isEmpty {
        try write(kind, page.encoded())
        page.items.removeAll(keepingCapacity: true)
        size = 0
      }
      page.items.append(item)
      size += item.encodedBound
    }
    if !page.items.isEmpty { try write(kind, page.encoded()) }
  }

  private mutating func write(_ kind: UInt8, _ body: [UInt8]) throws(SystemError) {
    let sealed = seal.seal([kind] + body, at: place)
    var writer = ByteWriter(reserving: sealed.count + 4)
    writer.put(UInt32(sealed.count))
    try File.writeAll(writer.bytes + sealed, to: file.raw, path)
    place += 1
    bytes += sealed.count + 4
  }
}
