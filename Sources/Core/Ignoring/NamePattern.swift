import Protocol

/// A pattern for one name of a path, as gitignore(5) has them: `*`, `?`, `[…]` and what stands for
/// itself. Bytes, whatever they are in UTF-8.
///
/// Matching takes at most as many steps as the pattern's length times that of the name: behind a
/// `*` that went too far only the latest one is tried again.
struct NamePattern: Sendable {
  /// What one place of a pattern takes: a byte below 256, or one of these, or a set's number.
  private static let one: UInt16 = 256
  private static let run: UInt16 = 257
  private static let firstSet: UInt16 = 258
  /// Sets of one pattern: no name has more bytes, so what has more matches nothing.
  static let setLimit = Limits.name

  private var places: [UInt16] = []
  private var sets: [ByteSet] = []

  var isEmpty: Bool { places.isEmpty }

  /// Whether it is nothing but `**`, or more of them: any names, in a path.
  var isRuns: Bool { places.count > 1 && places.allSatisfy { $0 == Self.run } }

  /// The name that it stands for, where there is only one.
  var literal: [UInt8]? {
    let bytes = places.compactMap { UInt8(exactly: $0) }
    return bytes.count == places.count ? bytes : nil
  }

  /// The byte that every name begins with; nil where that may be any.
  var first: UInt8? { places.first.flatMap { UInt8(exactly: $0) } }

  /// The byte that every name ends with; nil where that may be any.
  var last: UInt8? { places.last.flatMap { UInt8(exactly: $0) } }

  mutating func append(_ byte: UInt8) { places.append(UInt16(byte)) }

  mutating func appendOne() { places.append(Self.one) }

  mutating func appendRun() { places.append(Self.run) }

  /// Returns: false where there are too many sets.
  mutating func append(_ set: ByteSet) -> Bool {
    guard sets.count < Self.setLimit else { return false }
    places.append(Self.firstSet + UInt16(sets.count))
    sets.append(set)
    return true
  }

  /// Whether it stands for a name. Complexity: O(length of the pattern × length of the name).
  func matches(_ name: ArraySlice<UInt8>) -> Bool {
    var (place, position) = (0, name.startIndex)
    var latest: (place: Int, position: Int)?
    while position < name.endIndex {
      if place < places.count, places[place] == Self.run {
        place += 1
        latest = (place, position)
      } else if place < places.count, takes(places[place], name[position]) {
        place += 1
        position += 1
      } else if let run = latest {
        // The latest `*` takes one more.
        (place, position) = (run.place, run.position + 1)
        latest = (place, position)
      } else {
        return false
      }
    }
    return places[place...].allSatisfy { $0 == Self.run }
  }

  private func takes(_ place: UInt16, _ byte: UInt8) -> Bool {
    if place < Self.one { return place == UInt16(byte) }
    return place == Self.one || sets[Int(place - Self.firstSet)].contains(byte)
  }
}

/// Some of the 256 bytes.
struct ByteSet: Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  func contains(_ byte: UInt8) -> Bool { word(byte) >> UInt64(byte & 63) & 1 == 1 }

  mutating func insert(_ byte: UInt8) {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  mutating func invert() { words = (~words.0, ~words.1, ~words.2, ~words.3) }

  private func word(_ byte: UInt8) -> UInt64 {
    switch byte >> 6 {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }
}
