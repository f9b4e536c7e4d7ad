import Crypto

/// What finds damage in the files of the state folder. Not against forgers: whoever can write there
/// has the keys.
package enum Checksum {
  /// Bytes of a checksum.
  package static let length = 8

  /// The first 8 bytes of SHA-256 over `parts`, one behind the other: what a disk damages goes
  /// unseen once in 2^64.
  package static func of(_ parts: [UInt8]...) -> [UInt8] {
    var hash = SHA256()
    for part in parts { hash.update(data: part) }
    return Array(hash.finalize().prefix(length))
  }
}
