package import Protocol

/// Some part of the share, by path: everything, or some files and folders with all that lies below
/// them. What is paused is such a part, and what is kept.
package struct ChosenPaths: Equatable, Sendable {
  /// What became of taking a path out.
  package enum Removal: Equatable, Sendable {
    case removed
    /// Neither it nor anything below it was chosen.
    case wasAbsent
    /// What lies above it is chosen (nil: everything), and can be taken out only as a whole.
    case isBelow(SharePath?)
  }

  package private(set) var everything = false
  private var chosen: Set<SharePath> = []

  /// Nothing is chosen.
  package init() {}

  package var isEmpty: Bool { !everything && chosen.isEmpty }

  /// The paths that were named, sorted by their bytes.
  package var paths: [SharePath] {
    chosen.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// The same, nil for everything.
  package var roots: [SharePath?] { everything ? [nil] : paths }

  /// Chooses a path with all below it; nil: everything.
  package mutating func insert(_ path: SharePath?) {
    guard let path else {
      everything = true
      chosen = []
      return
    }
    if covers(path) { return }
    chosen = chosen.filter { !$0.isBelow(path) }
    chosen.insert(path)
  }

  /// Takes out a path with all below it; nil: everything.
  package mutating func remove(_ path: SharePath?) -> Removal {
    guard let path else {
      defer { self = ChosenPaths() }
      return isEmpty ? .wasAbsent : .removed
    }
    if everything { return .isBelow(nil) }
    if let above = chosen.first(where: { path.isBelow($0) }) { return .isBelow(above) }
    let rest = chosen.filter { $0 != path && !$0.isBelow(path) }
    defer { chosen = rest }
    return rest.count == chosen.count ? .wasAbsent : .removed
  }

  /// Whether a path is chosen; nil: something that is at no path any more.
  package func covers(_ path: SharePath?) -> Bool {
    if everything { return true }
    guard !chosen.isEmpty, var above = path else { return false }
    while true {
      if chosen.contains(above) { return true }
      guard let parent = above.parent else { return false }
      above = parent
    }
  }
}
