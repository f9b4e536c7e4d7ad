import System

/// Files that say what they are: whoever reads one knows which it is, and every byte of it.
enum TortureContent {
  /// Names one content; each is written once in a run. 0 is none.
  typealias Version = UInt64

  /// What has the beginning of a content only, since its writer could not write more.
  static let part = Version.max

  /// The whole content of a version.
  static func bytes(_ version: Version, seed: UInt64) -> [UInt8] {
    let size = size(version, seed)
    return Array("version \(version) size \(size)\n".utf8)
      + Samples.bytes(size, seed: seed &+ version &* 0x9e37_79b9_7f4a_7c15)
  }

  /// Which version a whole content is; nil where it is none.
  static func version(of bytes: [UInt8], seed: UInt64) -> Version? {
    let head = bytes.prefix(60).prefix { $0 != UInt8(ascii: "\n") }
    let words = String(decoding: head, as: UTF8.self).split(separator: " ")
    guard words.count == 4, words[0] == "version", let version = Version(words[1]),
      bytes == self.bytes(version, seed: seed)
    else { return nil }
    return version
  }

  /// Most files are small, some have a few leaves, a few many.
  private static func size(_ version: Version, _ seed: UInt64) -> Int {
    var mixed = (version &+ seed) &* 0xbf58_476d_1ce4_e5b9
    mixed ^= mixed >> 29
    switch mixed % 16 {
    case 0: return Int((mixed >> 8) % 3) * 131_072
    case 1, 2, 3: return Int((mixed >> 8) % 600_000)
    case 4: return 2_000_000 + Int((mixed >> 8) % 100_000)
    default: return Int((mixed >> 8) % 5_000)
    }
  }
}
