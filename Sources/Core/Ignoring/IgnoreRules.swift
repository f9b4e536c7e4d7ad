package import Protocol

/// Which paths of the own folder a member keeps to himself: a small set that everybody has, then
/// the lines of his own file, of which the last one that matches counts.
///
/// A name asks only those patterns that may match it by its first or last byte, and costs nothing
/// of what others say about other names.
package struct IgnoreRules: Sendable {
  /// What of the file says that a path is not shared.
  package struct Match: Equatable, Sendable {
    package enum Origin: Equatable, Sendable {
      /// Of the set that everybody has.
      case builtIn
      /// By the number of its line, from 1.
      case line(Int)
      /// The file of patterns itself.
      case ownFile
    }

    /// As it is written.
    package let pattern: [UInt8]
    package let origin: Origin
  }

  /// Why a file of patterns is not taken.
  package enum Fault: Error, Equatable, Sendable {
    case tooLong
    case tooManyPatterns
  }

  /// The name of the file, at the top of the own folder.
  package static let fileName = Array(".fsharefsignore".utf8)
  /// Bytes of the file at most: 30 for each of as many patterns as there may be.
  package static let lengthLimit = 1 << 20
  /// Each takes about 100 bytes of memory, and up to 1 µs of each new name that it may match.
  package static let patternLimit = 100_000
  /// What programs leave beside the files that they work on, and means nothing to anybody else:
  /// trash of desktops, what file managers note of a folder, locks of offices, and what network
  /// file systems leave of removed files.
  package static let builtIn = [
    ".Trash-*", ".DS_Store", "Thumbs.db", "desktop.ini", ".~lock.*#", "~$*", ".nfs*",
    ".fuse_hidden*",
  ]

  private struct Rule: Sendable {
    let pattern: IgnorePattern
    let text: [UInt8]
    /// 0: built in.
    let line: Int
  }

  private var rules: ContiguousArray<Rule> = []
  /// Numbers of rules, ascending: by the name that they are about,
  private var byName: [[UInt8]: [UInt32]] = [:]
  /// by the first byte of names, by the last, and those that may match any.
  private var byFirst = [[UInt32]](repeating: [], count: 256)
  private var byLast = [[UInt32]](repeating: [], count: 256)
  private var others: [UInt32] = []
  /// The first bytes of `byName`.
  private var firstBytes = ByteSet()

  /// Those that everybody has.
  package init() { for pattern in Self.builtIn { add(Array(pattern.utf8)[...], line: 0) } }

  /// The same, and a file's.
  package init(file: [UInt8]) throws(Fault) {
    self.init()
    if file.count > Self.lengthLimit { throw .tooLong }
    var rest = file[...]
    // What some editors of Windows begin a text with.
    if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
    var number = 0
    while !rest.isEmpty {
      number += 1
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var line = rest[..<end]
      rest = rest[end...].dropFirst()
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      add(line, line: number)
      if rules.count > Self.patternLimit { throw .tooManyPatterns }
    }
  }

  /// Whether a pattern is about more than the name of what it stands for.
  package private(set) var dependsOnFolders = false

  /// What says that a path is not shared: of it, or of the first folder above it of which something
  /// does; nil where it is. `depth`: names at its beginning that are shared whatever patterns say.
  package func match(
    _ path: SharePath, isDirectory: Bool, below depth: Int = 0
  ) -> Match? {
    let names = Array(path.parts)
    if names.count == 1, depth == 0, names[0].elementsEqual(Self.fileName) {
      return Match(pattern: Self.fileName, origin: .ownFile)
    }
    for count in depth..<max(depth, names.count) {
      let isFolder = isDirectory || count + 1 < names.count
      guard let rule = last(matching: names[...count], isDirectory: isFolder) else { continue }
      if rule.pattern.isNegated { continue }
      return Match(pattern: rule.text, origin: rule.line == 0 ? .builtIn : .line(rule.line))
    }
    return nil
  }
}

extension IgnoreRules {
  private mutating func add(_ line: ArraySlice<UInt8>, line number: Int) {
    guard let pattern = IgnorePattern(line: line) else { return }
    let index = UInt32(rules.count)
    rules.append(Rule(pattern: pattern, text: Array(line), line: number))
    if pattern.isAnchored { dependsOnFolders = true }
    let name = pattern.names[pattern.names.count - 1]
    if pattern.names.count > 1, name.isRuns {
      others.append(index)
    } else if let literal = name.literal {
      byName[literal, default: []].append(index)
      firstBytes.insert(literal[0])
    } else if let first = name.first {
      byFirst[Int(first)].append(index)
    } else if let last = name.last {
      byLast[Int(last)].append(index)
    } else {
      others.append(index)
    }
  }

  /// The last rule about the path of these names.
  private func last(
    matching path: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool
  ) -> Rule? {
    guard let name = path.last, let first = name.first, let end = name.last else { return nil }
    var found: UInt32?
    func look(_ some: [UInt32]) {
      for index in some.reversed() {
        if let found, index < found { return }
        if rules[Int(index)].pattern.matches(path, isDirectory: isDirectory) {
          found = index
          return
        }
      }
    }
    if firstBytes.contains(first), let some = byName[Array(name)] { look(some) }
    look(byFirst[Int(first)])
    look(byLast[Int(end)])
    look(others)
    return found.map { rules[Int($0)] }
  }
}
