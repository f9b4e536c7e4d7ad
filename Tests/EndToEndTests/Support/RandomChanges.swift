import Glibc

/// Random changes of a few names below a folder, from a seed; many fail, as they may.
struct RandomChanges {
  private let folder: String
  private var state: UInt64

  init(_ folder: String, seed: UInt64) {
    self.folder = folder
    state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
  }

  /// One change.
  mutating func change() {
    let (one, other) = (path(), path())
    switch next(10) {
    case 0...2: try? Files.write(one, Samples.bytes(next(300_000)))
    case 3: mkdir(one, 0o755)
    case 4: unlink(one)
    case 5: rmdir(one)
    case 6, 7: Glibc.rename(one, other)
    case 8: chmod(one, 0o700 + mode_t(next(0o100)))
    default: try? Files.write(one, "more", flags: O_APPEND)
    }
  }

  private mutating func path() -> String {
    var path = folder
    for _ in 0...next(3) { path += "/" + ["a", "b", "c", "d"][next(4)] }
    return path
  }

  private mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int((state >> 11) % UInt64(bound))
  }
}
