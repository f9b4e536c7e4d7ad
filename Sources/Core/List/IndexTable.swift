/// Finds numbers of records by a hash of what is in them; what that is, its user knows.
///
/// An extendible hash table: the highest bits of a hash choose a page, and a page that is full is
/// split into two. So it grows without ever being made anew as a whole, and a copy shares every
/// page that neither side has changed since.
package struct IndexTable: Sendable {
  private struct Page {
    /// How many of the highest bits all hashes in it share.
    var depth: UInt8 = 0
    var count = 0
    /// Open addressing by the lowest bits; a power of two of them.
    var slots: ContiguousArray<UInt32>
  }

  /// Keyed anew in each process, as all hashes are over what peers choose.
  package static func hash(_ key: some Hashable) -> UInt64 {
    UInt64(bitPattern: Int64(key.hashValue))
  }

  private static let vacant = UInt32.max
  private static let smallest = 16
  private static let largest = 1_024

  /// None before something is put in.
  private var pages: ContiguousArray<Page> = []
  /// By the highest `depth` bits of a hash: which page.
  private var directory: ContiguousArray<UInt32> = []
  private var depth: UInt8 = 0

  package init() {}

  /// The number with this hash that `matches`; nil if there is none.
  package func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
    if pages.isEmpty { return nil }
    let page = Int(directory[spot(of: hash)])
    let mask = pages[page].slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let number = pages[page].slots[slot]
      if number == Self.vacant { return nil }
      if matches(number) { return number }
      slot = (slot + 1) & mask
    }
  }

  /// Adds a number that is not there. `hashOf`: the hash of any number that is.
  package mutating func insert(_ hash: UInt64, _ number: UInt32, hashOf: (UInt32) -> UInt64) {
    if pages.isEmpty {
      pages = [Page(slots: ContiguousArray(repeating: Self.vacant, count: Self.smallest))]
      directory = [0]
    }
    var page = Int(directory[spot(of: hash)])
    while (pages[page].count + 1) * 4 > pages[page].slots.count * 3 {
      if pages[page].slots.count < Self.largest {
        refill(page, length: 2 * pages[page].slots.count, hashOf)
      } else {
        split(page, hashOf)
        page = Int(directory[spot(of: hash)])
      }
    }
    place(number, hash, in: page)
  }

  /// Takes off a number that is there. `hashOf`: the hash of any that stays.
  package mutating func remove(_ hash: UInt64, _ number: UInt32, hashOf: (UInt32) -> UInt64) {
    let page = Int(directory[spot(of: hash)])
    let mask = pages[page].slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while pages[page].slots[slot] != number {
      precondition(pages[page].slots[slot] != Self.vacant, "only what is there is taken off")
      slot = (slot + 1) & mask
    }
    // What follows closes the gap, or it would not be found behind it.
    var gap = slot
    while true {
      slot = (slot + 1) & mask
      let next = pages[page].slots[slot]
      if next == Self.vacant { break }
      let home = Int(truncatingIfNeeded: hashOf(next)) & mask
      if (slot - home) & mask >= (slot - gap) & mask {
        pages[page].slots[gap] = next
        gap = slot
      }
    }
    pages[page].slots[gap] = Self.vacant
    pages[page].count -= 1
  }

  private func spot(of hash: UInt64) -> Int { depth == 0 ? 0 : Int(hash >> (64 - UInt64(depth))) }

  private mutating func place(_ number: UInt32, _ hash: UInt64, in page: Int) {
    let mask = pages[page].slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while pages[page].slots[slot] != Self.vacant { slot = (slot + 1) & mask }
    pages[page].slots[slot] = number
    pages[page].count += 1
  }

  private mutating func refill(_ page: Int, length: Int, _ hashOf: (UInt32) -> UInt64) {
    let old = pages[page].slots
    pages[page].slots = ContiguousArray(repeating: Self.vacant, count: length)
    pages[page].count = 0
    for number in old where number != Self.vacant { place(number, hashOf(number), in: page) }
  }

  /// Makes two pages of one, by the first bit in which its hashes differ.
  private mutating func split(_ page: Int, _ hashOf: (UInt32) -> UInt64) {
    let shared = pages[page].depth
    if shared == depth {
      directory = ContiguousArray(directory.flatMap { [$0, $0] })
      depth += 1
    }
    let old = pages[page].slots
    let upper = pages.count
    pages[page] = Page(
      depth: shared + 1, slots: ContiguousArray(repeating: Self.vacant, count: Self.largest))
    pages.append(pages[page])
    let bit = UInt64(1) << (63 - UInt64(shared))
    for number in old where number != Self.vacant {
      let hash = hashOf(number)
      place(number, hash, in: hash & bit == 0 ? page : upper)
    }
    // Those of the directory's places that have this bit set.
    let step = 1 << Int(depth - shared - 1)
    for index in directory.indices where directory[index] == UInt32(page) && index & step != 0 {
      directory[index] = UInt32(upper)
    }
  }
}
