/// Finds numbers of records by a hash of what is in them; what that is, its user knows.
///
/// An extendible hash table: the highest bits of a hash choose a page, and a page that is full is
/// split into two. So it grows without ever being made anew as a whole, and a copy shares every
/// page that neither side has changed since. Beside each number lies as much of its hash as says
/// where it belongs: to grow, nothing is hashed again, and few records are looked at that are not
/// the one that is looked for.
package struct IndexTable: Sendable {
  /// A number, and of its hash the highest 22 bits and the lowest 10.
  private struct Slot {
    static let vacant = Slot(number: .max, hash: 0)
    static let highBits: UInt8 = 22
    let number: UInt32
    let hash: UInt32

    init(number: UInt32, hash: UInt32) {
      self.number = number
      self.hash = hash
    }

    init(_ number: UInt32, _ hash: UInt64) {
      self.init(number: number, hash: Self.part(of: hash))
    }

    static func part(of hash: UInt64) -> UInt32 {
      UInt32(hash >> 42) << 10 | UInt32(truncatingIfNeeded: hash) & 1_023
    }

    var isVacant: Bool { number == .max }
  }

  private struct Page {
    /// How many of the highest bits all hashes in it share.
    var depth: UInt8 = 0
    var count = 0
    /// Open addressing by the lowest bits; a power of two of them.
    var slots: ContiguousArray<Slot>

    /// Where a slot with such a hash belongs, or what follows what is there already.
    mutating func place(_ slot: Slot) {
      let mask = slots.count - 1
      var index = Int(slot.hash) & mask
      while !slots[index].isVacant { index = (index + 1) & mask }
      slots[index] = slot
      count += 1
    }

    /// Whether another number is there that is the same.
    func holds(_ slot: Slot, _ isSame: (UInt32, UInt32) -> Bool) -> Bool {
      let mask = slots.count - 1
      var index = Int(slot.hash) & mask
      while !slots[index].isVacant {
        if slots[index].hash == slot.hash, isSame(slots[index].number, slot.number) { return true }
        index = (index + 1) & mask
      }
      return false
    }

    /// Takes what is there into so many slots.
    mutating func refill(length: Int) {
      let old = slots
      slots = ContiguousArray(repeating: .vacant, count: length)
      count = 0
      for slot in old where !slot.isVacant { place(slot) }
    }
  }

  /// Keyed anew in each process, as all hashes are over what peers choose.
  package static func hash(_ key: some Hashable) -> UInt64 {
    UInt64(bitPattern: Int64(key.hashValue))
  }

  private static let smallest = 16
  private static let largest = 1_024

  /// None before something is put in.
  private var pages: ContiguousArray<Page> = []
  /// By the highest `depth` bits of a hash: which page.
  private var directory: ContiguousArray<UInt32> = []
  private var depth: UInt8 = 0

  package init() {}

  /// All at once: numbers from `first` on, with the hashes of their records. nil where two of them
  /// are the same by `isSame`. Complexity: O(n), page by page.
  package init?(
    _ hashes: ContiguousArray<UInt64>, from first: UInt32, isSame: (UInt32, UInt32) -> Bool
  ) {
    if hashes.isEmpty { return }
    while hashes.count >> Int(depth) > Self.largest / 2, depth < Slot.highBits { depth += 1 }
    directory = ContiguousArray(0..<UInt32(1) << UInt32(depth))
    // Which numbers belong to which page: sorted by counting.
    var ends = ContiguousArray(repeating: 0, count: directory.count + 1)
    for hash in hashes { ends[spot(of: hash) + 1] += 1 }
    for page in 1..<ends.count { ends[page] += ends[page - 1] }
    var next = ends
    var sorted = ContiguousArray<UInt32>(repeating: 0, count: hashes.count)
    for index in hashes.indices {
      let page = spot(of: hashes[index])
      sorted[next[page]] = UInt32(index)
      next[page] += 1
    }
    pages.reserveCapacity(directory.count)
    for page in directory.indices {
      let part = sorted[ends[page]..<ends[page + 1]]
      var length = Self.smallest
      while part.count * 4 > length * 3 { length *= 2 }
      var filled = Page(depth: depth, slots: ContiguousArray(repeating: .vacant, count: length))
      for index in part {
        let slot = Slot(first + index, hashes[Int(index)])
        if filled.holds(slot, isSame) { return nil }
        filled.place(slot)
      }
      pages.append(filled)
    }
  }

  /// The number with this hash that `matches`; nil if there is none.
  package func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
    if pages.isEmpty { return nil }
    let page = Int(directory[spot(of: hash)])
    let part = Slot.part(of: hash)
    let mask = pages[page].slots.count - 1
    var index = Int(part) & mask
    while true {
      let slot = pages[page].slots[index]
      if slot.isVacant { return nil }
      if slot.hash == part, matches(slot.number) { return slot.number }
      index = (index + 1) & mask
    }
  }

  /// Adds a number that is not there, by the hash of what is in its record.
  package mutating func insert(_ hash: UInt64, _ number: UInt32) {
    if pages.isEmpty {
      pages = [Page(slots: ContiguousArray(repeating: .vacant, count: Self.smallest))]
      directory = [0]
    }
    var page = Int(directory[spot(of: hash)])
    while (pages[page].count + 1) * 4 > pages[page].slots.count * 3 {
      if pages[page].slots.count < Self.largest || pages[page].depth == Slot.highBits {
        pages[page].refill(length: 2 * pages[page].slots.count)
      } else {
        split(page)
        page = Int(directory[spot(of: hash)])
      }
    }
    pages[page].place(Slot(number, hash))
  }

  /// Takes off a number that is there, by the hash that it was put in with.
  package mutating func remove(_ hash: UInt64, _ number: UInt32) {
    let page = Int(directory[spot(of: hash)])
    let mask = pages[page].slots.count - 1
    var index = Int(Slot.part(of: hash)) & mask
    while pages[page].slots[index].number != number {
      precondition(!pages[page].slots[index].isVacant, "only what is there is taken off")
      index = (index + 1) & mask
    }
    // What follows closes the gap, or it would not be found behind it.
    var gap = index
    while true {
      index = (index + 1) & mask
      let next = pages[page].slots[index]
      if next.isVacant { break }
      let home = Int(next.hash) & mask
      if (index - home) & mask >= (index - gap) & mask {
        pages[page].slots[gap] = next
        gap = index
      }
    }
    pages[page].slots[gap] = .vacant
    pages[page].count -= 1
  }

  private func spot(of hash: UInt64) -> Int { depth == 0 ? 0 : Int(hash >> (64 - UInt64(depth))) }

  /// Makes two pages of one, by the first bit in which its hashes differ.
  private mutating func split(_ page: Int) {
    let shared = pages[page].depth
    if shared == depth {
      directory = ContiguousArray(directory.flatMap { [$0, $0] })
      depth += 1
    }
    let vacant = ContiguousArray(repeating: Slot.vacant, count: pages[page].slots.count)
    var lower = Page(depth: shared + 1, slots: vacant)
    var upper = lower
    let bit = UInt32(1) << (31 - UInt32(shared))
    for slot in pages[page].slots where !slot.isVacant {
      if slot.hash & bit == 0 { lower.place(slot) } else { upper.place(slot) }
    }
    let number = pages.count
    pages[page] = lower
    pages.append(upper)
    // Those of the directory's places that have this bit set.
    let step = 1 << Int(depth - shared - 1)
    for index in directory.indices where directory[index] == UInt32(page) && index & step != 0 {
      directory[index] = UInt32(number)
    }
  }
}
