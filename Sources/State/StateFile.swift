import Glibc
import Sealing
package import System

/// How a file of the state folder begins, and how it is read and replaced as a whole.
///
/// Every file begins with one line of text:
///
///     fsharefs KIND FORMAT CHECKSUM
///
/// The checksum (16 hexadecimal digits) is over the line up to the number of the format and over
/// all that follows; in a log, whose records have checksums of their own, over the line alone. That
/// much holds for every format to come, so that a damaged file is never taken for a later one.
package enum StateFile {
  /// What the bytes of a file turned out to be.
  enum Opened {
    /// Checked; what follows the first line.
    case body([UInt8])
    /// Without a first line: an earlier version wrote it, and it is read once more.
    case older([UInt8])
  }

  private static let magic = Array("fsharefs ".utf8)
  /// Bytes of the longest first line.
  private static let lineLimit = 64

  /// The bytes of a file with `body`.
  package static func sealed(_ kind: StateKind, _ body: [UInt8]) -> [UInt8] {
    let head = magic + Array("\(kind.rawValue) \(StateKind.format)".utf8)
    return line(head, Checksum.of(head, body)) + body
  }

  /// The first line of a log.
  static func logLine(_ kind: StateKind) -> [UInt8] { sealed(kind, []) }

  /// What a file that is replaced as a whole holds, its checksum checked; nil where there is none.
  static func whole(_ kind: StateKind, _ path: String) throws(StateFault) -> Opened? {
    guard let bytes = try read(kind, path) else { return nil }
    let found = try opened(kind, path, bytes, isLog: false)
    // None of an earlier version was ever empty: a crash of the machine leaves such files, on some
    // file systems.
    if case .older([]) = found { throw .damaged(kind, path, "it is empty") }
    return found
  }

  /// Replaces a file; durable on return.
  package static func write(
    _ kind: StateKind, _ path: String, _ body: [UInt8]
  ) throws(SystemError) {
    try File.writeAtomically(path, sealed(kind, body), mode: 0o600)
  }

  /// Looks at the first line. `isLog`: whether its checksum is over the line alone.
  static func opened(
    _ kind: StateKind, _ path: String, _ bytes: [UInt8], isLog: Bool
  ) throws(StateFault) -> Opened {
    guard bytes.starts(with: magic) else {
      // An older name may begin so; anything else is a first line of which little is left.
      if !bytes.isEmpty, magic.starts(with: bytes), kind != .name {
        throw .damaged(kind, path, "its first line is cut off")
      }
      return .older(bytes)
    }
    guard let end = bytes.prefix(lineLimit).firstIndex(of: UInt8(ascii: "\n")) else {
      throw .damaged(kind, path, "its first line is cut off")
    }
    let words = bytes[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    // The table of shares had a first line before the others, and no checksum.
    if words.count == 3, words[2].elementsEqual("1".utf8) { return .older(bytes) }
    guard words.count == 4, words[1].elementsEqual(kind.rawValue.utf8),
      let format = Int(String(decoding: words[2], as: UTF8.self)), format > 1
    else { throw .damaged(kind, path, "its first line is garbled") }
    let head = Array(words[0] + [UInt8(ascii: " ")] + words[1] + [UInt8(ascii: " ")] + words[2])
    let body = Array(bytes[(end + 1)...])
    let sum = isLog ? Checksum.of(head) : Checksum.of(head, body)
    guard line(head, sum).elementsEqual(bytes[...end]) else {
      throw .damaged(kind, path, "its checksum is another")
    }
    if format > StateKind.format { throw .newer(path, format: format) }
    return .body(body)
  }

  private static func line(_ head: [UInt8], _ sum: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    let text = sum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return head + [UInt8(ascii: " ")] + text + [UInt8(ascii: "\n")]
  }
}

// MARK: - The folder

extension StateFile {
  /// The bytes of a file; nil where there is none. What is no regular file is not waited for.
  static func read(_ kind: StateKind, _ path: String) throws(StateFault) -> [UInt8]? {
    do throws(SystemError) {
      return try File.readRegular(path, limit: kind.limit)
    } catch {
      if error.code == ENOENT { return nil }
      if error.code == EFBIG { throw .damaged(kind, path, "it is too long") }
      throw StateFault(error)
    }
  }

  /// Moves a file out of the way, under a name that nothing has. Returns: its new path.
  package static func setAside(_ path: String) throws(SystemError) -> String {
    for number in 1...Self.asideLimit {
      let aside = "\(path).damaged-\(number)"
      // Nobody else makes files here, so what is free now is free in a moment.
      if access(aside.cPath, F_OK) == 0 { continue }
      try retryingOnInterrupt("rename \(path) to \(aside)") { rename(path.cPath, aside.cPath) }
      return aside
    }
    throw SystemError(code: EEXIST, call: "set \(path) aside: remove some of \(path).damaged-*")
  }

  /// Files of one name that may be set aside: so many need a person.
  static let asideLimit = 100

  /// Removes what a process left that died while it wrote one of these files. Call with the folder
  /// locked.
  package static func removeLeftovers(in folder: String) {
    for item in (try? FolderItems.of(folder)) ?? [] {
      let name = String(pathBytes: item.name)
      if let infix = name.firstRange(of: File.stagedInfix), !infix.upperBound.isAtEnd(of: name),
        name[infix.upperBound...].allSatisfy(\.isHexDigit), isOurs(name[..<infix.lowerBound])
      {
        _ = unlink("\(folder)/\(name)".cPath)
      }
    }
  }

  private static func isOurs(_ name: Substring) -> Bool {
    StateKind(rawValue: String(name)) != nil || name.hasPrefix("tls-")
  }
}

extension String.Index {
  fileprivate func isAtEnd(of text: String) -> Bool { self == text.endIndex }
}
