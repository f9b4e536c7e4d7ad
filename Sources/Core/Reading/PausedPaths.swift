package import Protocol

/// What is paused, by path: everything, or some files and folders with all that lies below them.
package struct PausedPaths: Equatable, Sendable {
  /// What became of an order to go on.
  package enum Resumption: Equatable, Sendable {
    case resumed
    /// Neither it nor anything below it was paused.
    case wasNotPaused
    /// What lies above it is paused (nil: everything), and goes on only as a whole.
    case isBelow(SharePath?)
  }

  package private(set) var everything = false
  private var chosen: Set<SharePath> = []

  /// Nothing is paused.
  package init() {}

  package var isEmpty: Bool { !everything && chosen.isEmpty }

  /// The paths that were named, sorted by their bytes.
  package var paths: [SharePath] {
    chosen.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Pauses a path with all below it; nil: everything.
  package mutating func pause(_ path: SharePath?) {
    guard let path else {
      everything = true
      chosen = []
      return
    }
    if covers(path) { return }
    chosen = chosen.filter { !$0.isBelow(path) }
    chosen.insert(path)
  }

  /// Lets a path with all below it go on; nil: everything.
  package mutating func resume(_ path: SharePath?) -> Resumption {
    guard let path else {
      defer { self = PausedPaths() }
      return isEmpty ? .wasNotPaused : .resumed
    }
    if everything { return .isBelow(nil) }
    if let above = chosen.first(where: { path.isBelow($0) }) { return .isBelow(above) }
    let rest = chosen.filter { $0 != path && !$0.isBelow(path) }
    defer { chosen = rest }
    return rest.count == chosen.count ? .wasNotPaused : .resumed
  }

  /// Whether a path is paused; nil: something that is at no path any more.
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
