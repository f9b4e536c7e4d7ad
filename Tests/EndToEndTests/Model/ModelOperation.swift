/// One thing that one member does with one path, or two.
struct ModelOperation: CustomStringConvertible, Sendable {
  /// What is done; contents are known by size and seed.
  enum Deed: Sendable {
    /// Makes a file or replaces its content, as `cp` does.
    case write(String, size: Int, seed: UInt64)
    /// Makes a file that must not be there.
    case create(String, size: Int, seed: UInt64)
    case append(String, size: Int, seed: UInt64)
    /// Appends twice, with an `fsync` between the two, and closes.
    case grow(String, size: Int, seed: UInt64)
    case overwrite(String, at: Int, size: Int, seed: UInt64)
    case truncate(String, Int)
    case changeMode(String, UInt32)
    /// Nanoseconds since 1970.
    /// To seconds since 1970, and nanoseconds.
    case setModified(String, Int, Int)
    case rename(String, String)
    case makeFolder(String, mode: UInt32)
    case removeFolder(String)
    case unlink(String)
    case symlink(String, target: String)
    case read(String)
  }

  let member: Int
  let deed: Deed

  var description: String { "member \(member): \(deed)" }
}

/// A generator that a seed determines.
struct ModelGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func below(_ limit: Int) -> Int { Int(next() >> 1) % limit }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  /// Few names, so that paths meet. A name with `l` is a link's, and never a folder's on the way.
  private mutating func path(_ kinds: [String]) -> String {
    var parts = (0..<pick([0, 0, 1, 1, 2])).map { _ in "d\(below(3))" }
    parts.append("\(pick(kinds))\(below(3))")
    return parts.joined(separator: "/")
  }

  private mutating func size() -> Int {
    switch below(12) {
    case 0: 0
    case 1: 128 * 1024
    case 2: 130_000 + below(200_000)
    default: 1 + below(6_000)
    }
  }

  /// Mostly what works, now and then what cannot.
  private mutating func file() -> String { path(["f", "f", "f", "f", "f", "f", "d"]) }
  private mutating func folder() -> String { path(["d", "d", "d", "d", "d", "f"]) }

  mutating func operation(members: Int) -> ModelOperation {
    ModelOperation(member: below(members), deed: deed())
  }

  private mutating func deed() -> ModelOperation.Deed {
    switch below(32) {
    case 0..<5: .write(file(), size: size(), seed: next())
    case 5..<7: .create(file(), size: size(), seed: next())
    case 7..<9: .append(file(), size: size(), seed: next())
    case 9: .grow(file(), size: size(), seed: next())
    case 10..<12: .overwrite(file(), at: below(4_000), size: size(), seed: next())
    case 12: .truncate(file(), below(8_000))
    case 13:
      .changeMode(pick([file(), folder()]), pick([0o755, 0o777, 0o700, 0o711, 0o744, 0o777]))
    // What ext4 can hold: from 1906 to 2445.
    case 14: .setModified(file(), below(17_000_000_000) - 2_000_000_000, below(1_000_000_000))
    case 15..<18: .rename(file(), file())
    case 18..<20: .rename(folder(), folder())
    case 20: .rename(path(["l"]), path(["l"]))
    case 21..<25: .makeFolder(folder(), mode: pick([0o755, 0o755, 0o1777, 0o777]))
    case 25..<27: .removeFolder(folder())
    case 27..<29: .unlink(file())
    case 29: pick([.unlink(path(["l"])), .unlink(folder())])
    case 30: .symlink(path(["l"]), target: pick(["f0", "../f1", "../../d0", "missing"]))
    default: .read(file())
    }
  }
}
