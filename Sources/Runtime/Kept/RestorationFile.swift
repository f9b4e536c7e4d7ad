package import Core
import Protocol
package import State
import System

/// What the master knows of having been set back, in the file `restored` of its state folder, line
/// by line behind its first one:
///
///     generation NUMBER
///     doubt KEYS REASON
///
/// with both keys of a device in hex; REASON is `here`, `hub`, `unknown` or `member-NUMBER`.
package struct RestorationFile: Sendable {
  let path: String

  /// Nothing is read or written yet.
  package init(path: String) { self.path = path }

  /// What was kept; nothing where there is no file. Throws where it is damaged: it is left as it
  /// is.
  package func load() throws(StateFault) -> Restoration {
    var restoration = Restoration()
    guard let text = try SmallFile.text(.restored, path) else { return restoration }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "generation", let generation = UInt32(words[1]) {
        restoration.generation = generation
      } else if words.count == 3, words[0] == "doubt", let key = DeviceKey(hex: words[1]),
        let doubt = Self.doubt(words[2])
      {
        restoration.doubts[key] = doubt
      } else {
        throw .damaged(.restored, path, "a line makes no sense")
      }
    }
    return restoration
  }

  /// Keeps it; durable on return. Any thread.
  func keep(_ restoration: Restoration) throws(SystemError) {
    let doubts = restoration.doubts.map { "doubt \($0.key.hex) \(Self.word($0.value))\n" }.sorted()
    let text = "generation \(restoration.generation)\n" + doubts.joined()
    try StateFile.write(.restored, path, Array(text.utf8))
  }

  private static func word(_ doubt: Restoration.Doubt) -> String {
    switch doubt {
    case .outHere: "here"
    case .outByHub: "hub"
    case .unknown: "unknown"
    case .outByMember(let member): "member-\(member)"
    }
  }

  private static func doubt(_ word: Substring) -> Restoration.Doubt? {
    switch word {
    case "here": return .outHere
    case "hub": return .outByHub
    case "unknown": return .unknown
    default:
      guard word.hasPrefix("member-"), let number = UInt32(word.dropFirst(7)) else { return nil }
      return .outByMember(PublicID(number))
    }
  }
}

extension DeviceKey {
  fileprivate var hex: String {
    (signing + agreement).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  fileprivate init?(hex: Substring) {
    let digits = Array(hex.utf8)
    guard digits.count == 4 * Self.partLength else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard
        let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    self.init(
      signing: Array(bytes.prefix(Self.partLength)), agreement: Array(bytes.suffix(Self.partLength))
    )
  }
}
