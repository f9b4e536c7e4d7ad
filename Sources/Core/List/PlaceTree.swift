import Protocol

/// The names of a list as a tree: which place a path leads to, and which path leads to a place.
///
/// A place is there as long as something is claimed at it or below it; what that is, the list
/// knows.
struct PlaceTree: Sendable {
  private var places = Arena<Place>()
  private var directories = Arena<Directory>()
  private var names = NamePool()
  private var byName = IndexTable()

  /// The place that has no path.
  static let root: UInt32 = 0

  init() {
    _ = places.insert(
      Place(
        parent: noRecord, name: 0, nameLength: 0,
        directory: directories.insert(Directory(payer: .master))))
  }

  /// The earliest claim of a place; `noRecord` where it only has something below it.
  func claim(at place: UInt32) -> UInt32 { places[place].claim }

  /// Entries below a place.
  func entries(below place: UInt32) -> Int {
    let directory = places[place].directory
    return directory == noRecord ? 0 : directories[directory].entries
  }

  /// Whether one of those whom `matching` names has something below a place. Complexity: O(members
  /// that have).
  func hasOwner(below place: UInt32, where matching: (PublicID) -> Bool) -> Bool {
    let directory = places[place].directory
    return directory != noRecord && directories[directory].hasOwner(where: matching)
  }

  /// The place that a path leads to; nil where nothing is.
  func place(at path: SharePath) -> UInt32? {
    var place = Self.root
    for part in path.parts {
      guard let next = child(of: place, part) else { return nil }
      place = next
    }
    return place
  }

  func child(of place: UInt32, _ name: ArraySlice<UInt8>) -> UInt32? {
    child(of: place, name, Self.hash(place, name))
  }

  private func child(of place: UInt32, _ name: ArraySlice<UInt8>, _ hash: UInt64) -> UInt32? {
    byName.find(hash) {
      places[$0].parent == place && Int(places[$0].nameLength) == name.count
        && self.name(of: $0) == name
    }
  }

  /// How many of a path's parts, from the first on, lead to something that has something below it.
  func reach(of path: SharePath) -> Int {
    var (place, depth) = (Self.root, 0)
    for part in path.parts {
      guard let next = child(of: place, part), places[next].directory != noRecord else { break }
      (place, depth) = (next, depth + 1)
    }
    return depth
  }

  /// Every place below one, a directory before what is in it.
  func visit(below place: UInt32, _ body: (UInt32) -> Void) {
    var waiting = [place]
    while let one = waiting.popLast() {
      forEachChild(of: one) { child in
        body(child)
        if places[child].directory != noRecord { waiting.append(child) }
      }
    }
  }

  /// Every place right in one, in the order in which they came.
  func forEachChild(of place: UInt32, _ body: (UInt32) -> Void) {
    var child = firstChild(of: place)
    while child != noRecord {
      body(child)
      child = places[child].next
    }
  }

  /// The place behind one in the order of the tree, in which a directory goes before what is in it;
  /// nil behind the last.
  func next(behind place: UInt32) -> UInt32? {
    let below = firstChild(of: place)
    if below != noRecord { return below }
    var one = place
    while one != Self.root {
      if places[one].next != noRecord { return places[one].next }
      one = places[one].parent
    }
    return nil
  }

  func path(of place: UInt32) -> SharePath {
    var bytes = [UInt8](repeating: 0x2f, count: pathLength(of: place))
    var end = bytes.count
    var one = place
    while one != Self.root {
      let start = end - Int(places[one].nameLength)
      var at = start
      for byte in name(of: one) {
        bytes[at] = byte
        at += 1
      }
      end = start - 1
      one = places[one].parent
    }
    return SharePath(unchecked: bytes)
  }

  /// Bytes of the path of a place.
  func pathLength(of place: UInt32) -> Int {
    var length = -1
    var one = place
    while one != Self.root {
      length += Int(places[one].nameLength) + 1
      one = places[one].parent
    }
    return length
  }

  private func firstChild(of place: UInt32) -> UInt32 {
    let directory = places[place].directory
    return directory == noRecord ? noRecord : directories[directory].first
  }

  func name(of place: UInt32) -> ArraySlice<UInt8> {
    names[places[place].name, Int(places[place].nameLength)]
  }

  /// Keyed anew in each process, as all hashes are over what peers choose.
  private static func hash(_ parent: UInt32, _ name: ArraySlice<UInt8>) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(parent)
    name.hashBytes(into: &hasher)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}

// MARK: - Changing

extension PlaceTree {
  mutating func setClaim(_ claim: UInt32, at place: UInt32) { places[place].claim = claim }

  /// An entry of `owner` comes to a path: all places on the way, which are made where they are
  /// missing, have it below them. `pays` is told the bytes of each path below which nothing was:
  /// they count as `owner`'s. Returns: the path's own place.
  mutating func enter(
    _ path: SharePath, of owner: PublicID, pays: (Int) -> Void
  ) -> UInt32 {
    var place = Self.root
    var end = -1
    for part in path.parts {
      descend(from: place, end, of: owner, pays)
      let hash = Self.hash(place, part)
      if let known = child(of: place, part, hash) {
        place = known
      } else {
        place = makePlace(in: place, part)
        byName.insert(hash, place)
      }
      end += part.count + 1
      if end < path.bytes.count { hold(place, for: owner) }
    }
    return place
  }

  /// The same of paths that come in the order of the tree, into one that had nothing before: no
  /// name is found before `index`. `line`: the places on the way to the path before this one.
  mutating func enterInOrder(
    _ path: SharePath, of owner: PublicID, line: inout ContiguousArray<UInt32>,
    pays: (Int) -> Void
  ) -> UInt32 {
    var place = Self.root
    var end = -1
    var depth = 0
    for part in path.parts {
      descend(from: place, end, of: owner, pays)
      if depth < line.count, name(of: line[depth]) == part {
        place = line[depth]
      } else {
        place = makePlace(in: place, part)
        line.removeSubrange(depth...)
        line.append(place)
      }
      depth += 1
      end += part.count + 1
      if end < path.bytes.count { hold(place, for: owner) }
    }
    line.removeSubrange(depth...)
    return place
  }

  /// Finds names from now on. Returns: false where one is in a directory twice. Complexity: O(n).
  mutating func index() -> Bool {
    var hashes = ContiguousArray<UInt64>()
    hashes.reserveCapacity(Int(places.end))
    for place in 1..<max(1, places.end) {
      hashes.append(Self.hash(places[place].parent, name(of: place)))
    }
    let index = IndexTable(hashes, from: 1) { [places] one, other in
      places[one].parent == places[other].parent && name(of: one) == name(of: other)
    }
    guard let index else { return false }
    byName = index
    return true
  }

  /// An entry of `owner` comes below a place, whose path has so many bytes.
  private mutating func descend(
    from place: UInt32, _ bytes: Int, of owner: PublicID, _ pays: (Int) -> Void
  ) {
    let directory = places[place].directory
    if place != Self.root, directories[directory].entries == 0 { pays(bytes) }
    directories[directory].add(owner)
  }

  /// Something of `owner` is about to be below a place.
  private mutating func hold(_ place: UInt32, for owner: PublicID) {
    if places[place].directory == noRecord {
      places[place].directory = directories.insert(Directory(payer: owner))
    }
  }

  /// An entry of `owner` leaves a place, where nothing claims it any more or something else does.
  /// What holds nothing then goes; `repaid` is told the bytes of each path below which nothing is
  /// left, and as whose they counted.
  mutating func exit(_ last: UInt32, of owner: PublicID, repaid: (Int, PublicID) -> Void) {
    var place = last
    var length = pathLength(of: place)
    while place != Self.root {
      let parent = places[place].parent
      length -= Int(places[place].nameLength) + 1
      if places[place].claim == noRecord, places[place].directory == noRecord { drop(place) }
      let directory = places[parent].directory
      directories[directory].remove(owner)
      if directories[directory].entries == 0, parent != Self.root {
        repaid(length, directories[directory].payer)
        directories.remove(directory)
        places[parent].directory = noRecord
      }
      place = parent
    }
  }

  private mutating func makePlace(in parent: UInt32, _ name: ArraySlice<UInt8>) -> UInt32 {
    let directory = places[parent].directory
    var place = Place(
      parent: parent, name: names.insert(name), nameLength: UInt8(name.count))
    place.previous = directories[directory].last
    let number = places.insert(place)
    if place.previous == noRecord {
      directories[directory].first = number
    } else {
      places[place.previous].next = number
    }
    directories[directory].last = number
    return number
  }

  private mutating func drop(_ number: UInt32) {
    let place = places[number]
    let directory = places[place.parent].directory
    if place.previous == noRecord {
      directories[directory].first = place.next
    } else {
      places[place.previous].next = place.next
    }
    if place.next == noRecord {
      directories[directory].last = place.previous
    } else {
      places[place.next].previous = place.previous
    }
    byName.remove(Self.hash(place.parent, name(of: number)), number)
    places.remove(number)
    names.remove(length: Int(place.nameLength))
    if names.isMostlyGarbage { renewNames() }
  }

  /// Makes the pool of names anew, without those that are gone.
  private mutating func renewNames() {
    var renewed = NamePool()
    var all: [UInt32] = []
    visit(below: Self.root) { all.append($0) }
    for place in all { places[place].name = renewed.insert(name(of: place)) }
    names = renewed
  }
}
