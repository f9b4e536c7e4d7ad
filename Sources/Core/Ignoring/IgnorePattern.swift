import Protocol

/// One line of a file of patterns, as gitignore(5) has them.
struct IgnorePattern: Sendable {
  /// Bytes of a line at most: what is longer matches no path that can be.
  static let lengthLimit = 2 * Limits.path

  /// `!`: what it matches is shared, whatever lines before say.
  let isNegated: Bool
  /// A `/` at the end: only folders are meant.
  let isForDirectories: Bool
  /// It has a `/` elsewhere, so it is about paths from the top; else about names anywhere.
  let isAnchored: Bool
  /// Of an anchored one, what each name of a path is to be; `isRuns` is any number of names. Of any
  /// other a single one.
  let names: [NamePattern]
  /// How many names a path has at least.
  private let fewest: Int

  /// nil for a blank line, a comment, and what matches nothing.
  init?(line: ArraySlice<UInt8>) {
    var line = Self.withoutTrailingSpaces(line)
    if line.isEmpty || line.first == UInt8(ascii: "#") || line.count > Self.lengthLimit {
      return nil
    }
    isNegated = line.first == UInt8(ascii: "!")
    if isNegated { line = line.dropFirst() }
    isForDirectories = line.last == UInt8(ascii: "/")
    if isForDirectories { line = line.dropLast() }
    isAnchored = line.contains(UInt8(ascii: "/"))
    if line.first == UInt8(ascii: "/") { line = line.dropFirst() }
    guard let names = Self.names(of: line), !names.contains(where: \.isEmpty) else { return nil }
    self.names = names
    fewest = names.count { !$0.isRuns }
  }

  /// Whether it stands for the path of these names.
  func matches(_ path: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool) -> Bool {
    if isForDirectories, !isDirectory { return false }
    guard let last = path.last else { return false }
    if !isAnchored { return names[0].matches(last) }
    return path.count >= fewest && matchesFromTop(path)
  }

  /// As `NamePattern.matches`, with names for bytes and `**` for `*`. At the end `**` takes one name
  /// at least: all that is in a folder, not the folder.
  private func matchesFromTop(_ path: ArraySlice<ArraySlice<UInt8>>) -> Bool {
    var (place, position) = (0, path.startIndex)
    var latest: (place: Int, position: Int)?
    while position < path.endIndex {
      if place < names.count, names[place].isRuns {
        place += 1
        if place == names.count { return true }
        latest = (place, position)
      } else if place < names.count, names[place].matches(path[position]) {
        place += 1
        position += 1
      } else if let runs = latest {
        (place, position) = (runs.place, runs.position + 1)
        latest = (place, position)
      } else {
        return false
      }
    }
    return place == names.count
  }
}

// MARK: - Reading a line

extension IgnorePattern {
  /// Spaces at the end do not count, but for one behind a backslash.
  private static func withoutTrailingSpaces(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var end = line.startIndex
    var position = line.startIndex
    while position < line.endIndex {
      let isEscape = line[position] == UInt8(ascii: "\\")
      let isSpace = line[position] == UInt8(ascii: " ")
      position = min(position + (isEscape ? 2 : 1), line.endIndex)
      if !isSpace { end = position }
    }
    return line[..<end]
  }

  /// nil where the line makes no sense, and so matches nothing: a class without an end, a backslash
  /// with nothing behind it.
  private static func names(of line: ArraySlice<UInt8>) -> [NamePattern]? {
    var names = [NamePattern()]
    var position = line.startIndex
    while position < line.endIndex {
      var byte = line[position]
      position += 1
      switch byte {
      case UInt8(ascii: "*"):
        names[names.count - 1].appendRun()
        continue
      case UInt8(ascii: "?"):
        names[names.count - 1].appendOne()
        continue
      case UInt8(ascii: "["):
        guard let set = set(in: line, at: &position), names[names.count - 1].append(set) else {
          return nil
        }
        continue
      case UInt8(ascii: "\\"):
        guard position < line.endIndex else { return nil }
        byte = line[position]
        position += 1
      default: break
      }
      if byte == UInt8(ascii: "/") {
        names.append(NamePattern())
      } else {
        names[names.count - 1].append(byte)
      }
    }
    return names
  }

  /// What is between brackets, behind the first of them.
  private static func set(in line: ArraySlice<UInt8>, at position: inout Int) -> ByteSet? {
    var set = ByteSet()
    func next() -> UInt8? { position < line.endIndex ? line[position] : nil }
    let isInverted = next() == UInt8(ascii: "!") || next() == UInt8(ascii: "^")
    if isInverted { position += 1 }
    var isFirst = true
    while let byte = next() {
      position += 1
      defer { isFirst = false }
      if byte == UInt8(ascii: "]"), !isFirst {
        if isInverted { set.invert() }
        return set
      }
      if byte == UInt8(ascii: "["), next() == UInt8(ascii: ":") {
        let name = line[(position + 1)...].prefix { $0 != UInt8(ascii: ":") }
        let end = position + 1 + name.count
        if end + 1 < line.endIndex, line[end + 1] == UInt8(ascii: "]") {
          guard let kind = CharacterClass(name) else { return nil }
          for byte in UInt8.min...UInt8.max where kind.contains(byte) { set.insert(byte) }
          position = end + 2
          continue
        }
      }
      guard let low = literal(byte, in: line, at: &position) else { return nil }
      if next() == UInt8(ascii: "-"), position + 1 < line.endIndex,
        line[position + 1] != UInt8(ascii: "]")
      {
        let end = line[position + 1]
        position += 2
        guard let high = literal(end, in: line, at: &position) else { return nil }
        if low <= high { for byte in low...high { set.insert(byte) } }
      }
      set.insert(low)
    }
    return nil
  }

  private static func literal(
    _ byte: UInt8, in line: ArraySlice<UInt8>, at position: inout Int
  ) -> UInt8? {
    if byte != UInt8(ascii: "\\") { return byte }
    guard position < line.endIndex else { return nil }
    position += 1
    return line[position - 1]
  }
}

/// `[:alpha:]` and the like, of ASCII.
private enum CharacterClass: String {
  case alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, space, upper, xdigit

  init?(_ name: ArraySlice<UInt8>) { self.init(rawValue: String(decoding: name, as: UTF8.self)) }

  func contains(_ byte: UInt8) -> Bool {
    let isLower = (0x61...0x7a).contains(byte)
    let isUpper = (0x41...0x5a).contains(byte)
    let isDigit = (0x30...0x39).contains(byte)
    let isGraph = (0x21...0x7e).contains(byte)
    return switch self {
    case .alnum: isLower || isUpper || isDigit
    case .alpha: isLower || isUpper
    case .blank: byte == 0x20 || byte == 0x09
    case .cntrl: byte < 0x20 || byte == 0x7f
    case .digit: isDigit
    case .graph: isGraph
    case .lower: isLower
    case .print: isGraph || byte == 0x20
    case .punct: isGraph && !(isLower || isUpper || isDigit)
    case .space: byte == 0x20 || (0x09...0x0d).contains(byte)
    case .upper: isUpper
    case .xdigit: isDigit || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
  }
}
