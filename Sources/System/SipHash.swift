/// SipHash-2-4: a keyed hash of 64 bits that nobody without the key can predict, and the same in
/// every process with it (which the standard library's `Hasher` is not). After J.-P. Aumasson and
/// D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.
package struct SipHash: Sendable {
  /// Bytes of a key.
  package static let keyLength = 16

  private let low: UInt64
  private let high: UInt64

  /// nil where the key has not its length.
  package init?(key: [UInt8]) {
    guard key.count == Self.keyLength else { return nil }
    low = Self.word(key[0..<8])
    high = Self.word(key[8..<16])
  }

  /// The hash of some bytes. Complexity: O(bytes), about a nanosecond each.
  package func of(_ bytes: [UInt8]) -> UInt64 {
    var state = State(low, high)
    var start = 0
    while start + 8 <= bytes.count {
      state.absorb(Self.word(bytes[start..<(start + 8)]))
      start += 8
    }
    state.absorb(Self.word(bytes[start...]) | UInt64(truncatingIfNeeded: bytes.count) << 56)
    return state.finish()
  }

  /// Up to eight bytes, the lowest first.
  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private struct State {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ low: UInt64, _ high: UInt64) {
      v0 = low ^ 0x736f_6d65_7073_6575
      v1 = high ^ 0x646f_7261_6e64_6f6d
      v2 = low ^ 0x6c79_6765_6e65_7261
      v3 = high ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }

    mutating func finish() -> UInt64 {
      v2 ^= 0xff
      for _ in 0..<4 { round() }
      return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
      v0 &+= v1
      v1 = Self.rotated(v1, 13) ^ v0
      v0 = Self.rotated(v0, 32)
      v2 &+= v3
      v3 = Self.rotated(v3, 16) ^ v2
      v0 &+= v3
      v3 = Self.rotated(v3, 21) ^ v0
      v2 &+= v1
      v1 = Self.rotated(v1, 17) ^ v2
      v2 = Self.rotated(v2, 32)
    }

    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
      word << bits | word >> (64 - bits)
    }
  }
}
