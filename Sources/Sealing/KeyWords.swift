import Crypto
package import Protocol

/// Six words that stand for a client's key: short enough to be read out over the telephone, 66 bits
/// of its SHA-256, so that nobody finds another key with the same words.
package struct KeyWords: Hashable, Sendable, CustomStringConvertible {
  /// The words, in order.
  package let words: [String]
  /// How many words there are.
  package static let count = 6
  /// Each word stands for so many bits.
  private static let bitsPerWord = 11
  /// The shortest beginning that names one word of the list.
  private static let prefix = 4

  /// The words of a key.
  package init(_ key: DeviceKey) {
    let digest = SHA256.digest(of: "fsharefs words 1", key)
    words = (0..<Self.count).map { word in
      let bits = (word * Self.bitsPerWord)..<((word + 1) * Self.bitsPerWord)
      let number = bits.reduce(0) { $0 << 1 | Int(digest[$1 >> 3] >> UInt8(7 - $1 & 7) & 1) }
      return KeyWordList.words[number]
    }
  }

  /// The words with blanks between.
  package var description: String { words.joined(separator: " ") }

  /// Whether `text`, as somebody typed it, are these words: case, and whether blanks, hyphens or
  /// commas are between, do not matter, and the first four letters of a word suffice.
  package func matches(_ text: String) -> Bool {
    let typed = text.lowercased().split { $0.isWhitespace || $0 == "-" || $0 == "," }
    return typed.count == Self.count
      && zip(typed, words).allSatisfy { typed, word in
        typed == word || (typed.count >= Self.prefix && word.hasPrefix(typed))
      }
  }
}

extension Fingerprint {
  /// Of a client's public key, both halves: what an invite says of the master.
  package init(of key: DeviceKey) {
    guard let whole = Fingerprint(SHA256.digest(of: "fsharefs key 1", key)) else {
      preconditionFailure("SHA-256 has as many bytes as a fingerprint")
    }
    self = whole
  }
}

extension SHA256 {
  /// Of a purpose, which keeps the uses of a key apart, and both halves of the key.
  fileprivate static func digest(of purpose: String, _ key: DeviceKey) -> [UInt8] {
    Array(SHA256.hash(data: Array(purpose.utf8) + key.signing + key.agreement))
  }
}
