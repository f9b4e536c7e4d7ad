package import Protocol

/// What shows of the list in a mount, as of one moment: all but what is one's own, and what belongs
/// to members that are gone. Shares what it has with the list that it was taken of.
package struct ListView: Sendable {
  private let list: ShareList
  private let own: PublicID?
  private let gone: Set<PublicID>

  /// Of an empty list.
  package init() { self.init(ShareList(), own: nil, gone: []) }

  /// `gone`: whose entries do not show.
  package init(_ list: ShareList, own: PublicID?, gone: Set<PublicID>) {
    self.list = list
    self.own = own
    self.gone = gone
  }

  /// A name of a directory.
  package struct Item {
    package let name: Name
    /// Who has it, the earliest first; nobody where something only lies below.
    package let claims: [ListedEntry]
    /// Whether something lies below.
    package let isAbove: Bool
  }

  /// An entry; nil where it does not show.
  package subscript(key: EntryKey) -> ListedEntry? { shows(key.owner) ? list[key] : nil }

  /// What lies right in a directory (nil: the top). Complexity: O(names in it), and what has to be
  /// passed over that does not show.
  package func items(in directory: SharePath?) -> [Item] {
    guard let place = list.place(at: directory) else { return [] }
    var found: [Item] = []
    list.forEachChild(of: place) { child, name in
      if let item = item(name, at: child) { found.append(item) }
    }
    return found
  }

  /// What lies at a name of a directory; nil where nothing shows.
  package func item(_ name: Name, in directory: SharePath?) -> Item? {
    guard let path = try? SharePath(parent: directory, name: name) else { return nil }
    return list.place(at: path).flatMap { item(name, at: $0) }
  }

  private func item(_ name: Name, at place: UInt32) -> Item? {
    let claims = list.claims(at: place).filter { shows($0.owner) }
    let isAbove = shows(below: place)
    return isAbove || !claims.isEmpty ? Item(name: name, claims: claims, isAbove: isAbove) : nil
  }

  /// Whether a name of a directory shows as a directory. Complexity: O(depth).
  package func isDirectory(_ name: Name, in directory: SharePath?) -> Bool {
    guard let path = try? SharePath(parent: directory, name: name) else { return false }
    return list.place(at: path).map { showsDirectory(at: $0) } ?? false
  }

  /// Of what shows at a place, the earliest claim says what it is, unless something lies below.
  private func showsDirectory(at place: UInt32) -> Bool {
    shows(below: place) || list.firstKind(at: place, where: shows) == .directory
  }

  /// The names right in a directory (nil: the top) that show as directories. Complexity: O(names
  /// in it).
  package func directories(in directory: SharePath?) -> [Name] {
    guard let place = list.place(at: directory) else { return [] }
    var found: [Name] = []
    list.forEachDirectory(of: place) { child, name in
      if showsDirectory(at: child) { found.append(name) }
    }
    return found
  }

  /// Bytes of the longest path below one, behind it. Complexity: O(what lies below).
  package func longest(below path: SharePath) -> Int {
    list.place(at: path).map { list.longest(below: $0) } ?? 0
  }

  /// Whether something lies somewhere below a path (nil: the top). Complexity: O(depth).
  package func isAbove(_ path: SharePath?) -> Bool {
    list.place(at: path).map { shows(below: $0) } ?? false
  }

  /// Whether something lies at or below a path.
  package func shows(_ path: SharePath) -> Bool {
    guard let place = list.place(at: path) else { return false }
    return list.first(at: place, where: shows) != nil || shows(below: place)
  }

  /// Something that lies below a name of a directory; nil where nothing does.
  package func first(below directory: SharePath?, _ name: Name) -> ListedEntry? {
    guard let path = try? SharePath(parent: directory, name: name),
      let place = list.place(at: path)
    else { return nil }
    return list.first(below: place, where: shows)
  }

  /// A file at or below a path (nil: the top): that which shows there, or one of a member that is
  /// gone. Complexity: O(what lies there).
  package func forEachFile(
    below root: SharePath?, _ body: (_ file: ListedEntry, _ shows: Bool) -> Void
  ) {
    guard let place = list.place(at: root) else { return }
    files(at: place, body)
    list.forEachPlace(below: place) { files(at: $0, body) }
  }

  private func files(at place: UInt32, _ body: (ListedEntry, Bool) -> Void) {
    let claims = list.claims(at: place).filter { $0.owner != own }
    for file in claims where file.entry.kind == .file && gone.contains(file.owner) {
      body(file, false)
    }
    guard let first = claims.first(where: { shows($0.owner) }), first.entry.kind == .file,
      !shows(below: place)
    else { return }
    body(first, true)
  }

  private func shows(below place: UInt32) -> Bool { list.hasOwner(below: place, where: shows) }

  private func shows(_ owner: PublicID) -> Bool { owner != own && !gone.contains(owner) }
}

extension Member {
  /// What the mount shows of the list now.
  package var view: ListView {
    ListView(
      shown, own: publicID, gone: Set(presences.lazy.filter { $0.value == .gone }.map(\.key)))
  }
}
