import Core
import Protocol
import Sealing

/// Names one file of the disk cache: up to 64 leaves that follow one another in one version.
///
/// The file begins with a page of 64 lengths, 4 bytes each, 0 where a leaf is not there; behind it
/// each leaf has a slot of its own, so that the file is sparse where leaves are missing.
struct CacheSegment: Hashable, Sendable {
  /// Leaves of one segment: 8 MiB.
  static let leaves = 64
  private static let page = 4_096
  /// Bytes in front of the first slot.
  static let headLength = page
  /// Bytes of all lengths in the head.
  static let lengthsLength = leaves * 4
  /// Bytes from one slot to the next.
  private static let stride = pages(Limits.leaf + CacheSeal.overhead)

  let owner: PublicID
  let entry: EntryID
  let version: Version
  /// Its place in the version.
  let number: UInt64

  /// The segment that a whole leaf belongs to.
  init(of leaf: LeafKey) {
    owner = leaf.owner
    entry = leaf.entry
    version = leaf.version
    number = leaf.index / UInt64(Self.leaves)
  }

  /// A segment of a version.
  init(_ number: UInt64, of content: Content) {
    owner = content.owner
    entry = content.entry
    version = content.version
    self.number = number
  }

  /// The segment of a file's name; nil where it is none.
  init?(name: [UInt8]) {
    let parts = name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 4, parts[1].count == 32, parts[2].count == 32,
      let owner = Self.number(parts[0], UInt32.self), let entry = Self.id(parts[1]),
      let version = Self.id(parts[2]), let number = Self.number(parts[3], UInt64.self)
    else { return nil }
    self.owner = PublicID(owner)
    self.entry = entry
    self.version = version
    self.number = number
    // Only the one spelling, or two files could be one segment.
    if Array(self.name.utf8) != name { return nil }
  }

  /// The name of its file.
  var name: String {
    "\(String(owner.value, radix: 16))-\(entry)-\(version)-\(String(number, radix: 16))"
  }

  func hash(into hasher: inout Hasher) {
    // Versions are random.
    hasher.combine(version.low)
    hasher.combine(number)
  }

  /// Which slot a leaf has in its segment.
  static func slot(of leaf: LeafKey) -> Int { Int(leaf.index % UInt64(leaves)) }

  /// Where a slot begins in the file.
  static func offset(of slot: Int) -> Int { headLength + slot * stride }

  /// Bytes that a leaf takes on the disk.
  static func cost(of leaf: Int) -> Int { pages(leaf + CacheSeal.overhead) }

  /// Bytes that a file takes on the disk when all of it is here.
  static func cost(of entry: Entry) -> UInt64 {
    let segments = (entry.leafCount + UInt64(leaves) - 1) / UInt64(leaves)
    return segments * UInt64(headLength) + entry.leafCount * UInt64(stride)
  }

  private static func pages(_ bytes: Int) -> Int { (bytes + page - 1) / page * page }

  private static func number<Value: FixedWidthInteger>(
    _ digits: ArraySlice<UInt8>, _ type: Value.Type
  ) -> Value? {
    Value(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private static func id(_ digits: ArraySlice<UInt8>) -> RandomID? {
    guard let high = number(digits.prefix(16), UInt64.self),
      let low = number(digits.suffix(16), UInt64.self)
    else { return nil }
    return RandomID(high: high, low: low)
  }
}
