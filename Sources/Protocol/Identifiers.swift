/// Small integer that the hub gives a client for good; the master app is 0.
package struct PublicID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let value: UInt32
  package init(_ value: UInt32) { self.value = value }
  /// The master app.
  package static let master = PublicID(0)
  package static func < (a: PublicID, b: PublicID) -> Bool { a.value < b.value }
  package var description: String { "\(value)" }
}

/// 128 random bits: the name of an entry, of a version, of a hub.
package struct RandomID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
  package init(using generator: inout some RandomNumberGenerator) {
    self.init(high: generator.next(), low: generator.next())
  }
  /// Never drawn: stands for 'no version' (directories) and 'no entry'.
  package static let zero = RandomID(high: 0, low: 0)
  package static func < (a: RandomID, b: RandomID) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }
  package var description: String {
    func hex(_ value: UInt64) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return hex(high) + hex(low)
  }
}

/// Names one file, directory or symlink of its owner, for as long as that is shared. Owners draw
/// theirs by themselves, so where others' are about too `EntryKey` names it.
package typealias EntryID = RandomID

/// Names one entry of the list: what another owner says with the same id is another entry.
package struct EntryKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let owner: PublicID
  package let id: EntryID
  package init(_ owner: PublicID, _ id: EntryID) {
    self.owner = owner
    self.id = id
  }
  package static func < (a: EntryKey, b: EntryKey) -> Bool {
    (a.id, a.owner) < (b.id, b.owner)
  }
  package var description: String { "\(owner)/\(id)" }
}

/// Names one immutable content of one entry, together with its owner and the entry's id: nothing is
/// ever looked up by it alone.
package typealias Version = RandomID

/// Names one version of one entry of the list.
package struct VersionKey: Hashable, Comparable, Sendable {
  package let file: EntryKey
  package let version: Version
  package init(_ file: EntryKey, _ version: Version) {
    self.file = file
    self.version = version
  }
  package static func < (a: VersionKey, b: VersionKey) -> Bool {
    (a.file, a.version) < (b.file, b.version)
  }
}

/// Names one run of one process: the same one resumes its session, another one displaces it. Each
/// run of a device has a higher one than the run before.
package typealias Incarnation = UInt64

/// Names one change for good: a second copy of it has no second effect.
package struct TransferID: Hashable, Sendable, CustomStringConvertible {
  package let incarnation: Incarnation
  /// Counts from 1 in each incarnation, without a gap.
  package let counter: UInt64
  package init(incarnation: Incarnation, counter: UInt64) {
    self.incarnation = incarnation
    self.counter = counter
  }
  package var description: String { "\(incarnation):\(counter)" }
}

/// A place in the master's one order of changes.
package struct ListOrder: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Random per journal: another epoch means the whole list again.
  package let epoch: UInt64
  /// Counts from 1 in each epoch, without a gap.
  package let seq: UInt64
  package init(epoch: UInt64, seq: UInt64) {
    self.epoch = epoch
    self.seq = seq
  }
  /// Whether this is the very next place behind `other`.
  package func follows(_ other: ListOrder) -> Bool {
    epoch == other.epoch && other.seq < .max && seq == other.seq + 1
  }
  /// Before any list was seen.
  package static let none = ListOrder(epoch: 0, seq: 0)
  package static func < (a: ListOrder, b: ListOrder) -> Bool { (a.epoch, a.seq) < (b.epoch, b.seq) }
  package var description: String { "\(epoch):\(seq)" }
}

/// The public half of a client's private id.
package struct DeviceKey: Hashable, Sendable {
  /// Ed25519 public key, 32 bytes.
  package let signing: [UInt8]
  /// X25519 public key, 32 bytes.
  package let agreement: [UInt8]
  package init(signing: [UInt8], agreement: [UInt8]) {
    self.signing = signing
    self.agreement = agreement
  }
  /// Bytes of each half.
  package static let partLength = 32
}
