package import Protocol

/// What lies at a place of the list and below it, whoever asks leaving out some of the owners.
extension ShareList {
  /// The place of a path (nil: the top); nil where nothing is.
  func place(at path: SharePath?) -> UInt32? {
    path.map { places.place(at: $0) } ?? PlaceTree.root
  }

  /// Every place right in one, in the order in which they came.
  func forEachChild(of place: UInt32, _ body: (UInt32, Name) -> Void) {
    places.forEachChild(of: place) { body($0, Name(unchecked: places.name(of: $0))) }
  }

  /// The same of those below which something is, or that somebody has as a directory.
  func forEachDirectory(of place: UInt32, _ body: (UInt32, Name) -> Void) {
    places.forEachChild(of: place) { child in
      let claim = places.claim(at: child)
      if places.entries(below: child) > 0 || claim != noRecord && records[claim].kind == .directory
      {
        body(child, Name(unchecked: places.name(of: child)))
      }
    }
  }

  /// Of the entries at a place of those whom `matching` names, what the earliest claims to be.
  func firstKind(at place: UInt32, where matching: (PublicID) -> Bool) -> EntryKind? {
    var number = places.claim(at: place)
    while number != noRecord, !matching(records[number].owner) {
      number = records[number].nextClaim
    }
    return number == noRecord ? nil : records[number].kind
  }

  /// The entries that stand at a place, the earliest claim first.
  func claims(at place: UInt32) -> [ListedEntry] {
    sequence(first: places.claim(at: place)) { records[$0].nextClaim }
      .prefix { $0 != noRecord }.map { listed($0) }
  }

  /// Every place below one, each behind that which it is in. Complexity: O(them).
  func forEachPlace(below place: UInt32, _ body: (UInt32) -> Void) {
    places.visit(below: place, body)
  }

  /// Paths whose last part `matches`, of whoever `shows`, at most `limit` of them, in no order.
  /// Complexity: O(entries).
  package func paths(
    limit: Int, where shows: (PublicID) -> Bool, matching matches: ([UInt8]) -> Bool
  ) -> [SharePath] {
    var found: [SharePath] = []
    var place = PlaceTree.root
    while found.count < limit, let next = places.next(behind: place) {
      place = next
      guard matches(Array(places.name(of: place))),
        first(at: place, where: shows) != nil || hasOwner(below: place, where: shows)
      else { continue }
      found.append(places.path(of: place))
    }
    return found
  }

  /// Bytes of the longest path below a place, behind that of the place. Complexity: O(entries below
  /// it).
  func longest(below place: UInt32) -> Int {
    let length = places.pathLength(of: place)
    var longest = 0
    places.visit(below: place) { longest = max(longest, places.pathLength(of: $0) - length) }
    return longest
  }

  /// The earliest claim at a place of those whom `matching` names; nil where they have none.
  func first(at place: UInt32, where matching: (PublicID) -> Bool) -> ListedEntry? {
    var claim = places.claim(at: place)
    while claim != noRecord {
      if matching(records[claim].owner) { return listed(claim) }
      claim = records[claim].nextClaim
    }
    return nil
  }

  /// Whether those whom `matching` names have something below a place. Complexity: O(members that
  /// have).
  func hasOwner(below place: UInt32, where matching: (PublicID) -> Bool) -> Bool {
    places.hasOwner(below: place, where: matching)
  }

  /// Something below a place of those whom `matching` names; nil where they have nothing.
  /// Complexity: O(depth and names in the directories on the way).
  func first(below place: UInt32, where matching: (PublicID) -> Bool) -> ListedEntry? {
    var place = place
    while hasOwner(below: place, where: matching) {
      var found: ListedEntry?
      var next: UInt32?
      places.forEachChild(of: place) { child in
        if found != nil { return }
        found = first(at: child, where: matching)
        if next == nil, hasOwner(below: child, where: matching) { next = child }
      }
      guard found == nil, let next else { return found }
      place = next
    }
    return nil
  }
}
