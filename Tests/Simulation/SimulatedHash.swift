package import Protocol

/// In the place of SHA-256: no less good where nobody lies, and quick.
package enum SimulatedHash {
  /// Four FNV-1a hashes with different beginnings, as of the FNV page by Landon Curt Noll.
  package static let hash: HistoryHash = { bytes in
    var words: [UInt64] = [0xcbf2_9ce4_8422_2325, 0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 7]
    for byte in bytes {
      for index in 0..<4 {
        words[index] = (words[index] ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        words[index] ^= words[index] >> 29
      }
    }
    return History(
      words.flatMap { word in
        (0..<8 as Range<UInt64>).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
      })
  }
}
