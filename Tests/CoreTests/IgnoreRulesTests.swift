import Core
import Protocol
import Testing

/// gitignore's patterns, as gitignore(5) has them.
@Suite(.timeLimit(.minutes(2))) struct IgnoreRulesTests {
  struct Case: Sendable, CustomStringConvertible {
    let patterns: String
    let ignored: [String]
    let shared: [String]
    var description: String { patterns.debugDescription }

    init(_ patterns: String, ignored: [String] = [], shared: [String] = []) {
      self.patterns = patterns
      self.ignored = ignored
      self.shared = shared
    }
  }

  /// A path that ends with `/` is a folder.
  private func match(_ rules: IgnoreRules, _ path: String) throws -> IgnoreRules.Match? {
    let isDirectory = path.hasSuffix("/")
    let bytes = Array((isDirectory ? path.dropLast() : path[...]).utf8)
    return rules.match(try SharePath(bytes), isDirectory: isDirectory)
  }

  private func rules(_ text: String) throws -> IgnoreRules {
    try IgnoreRules(file: Array(text.utf8))
  }

  static let cases = [
    Case("", shared: ["a", "a/b", "dir/"]),
    Case("# a\n\n   \n\t#b\n", ignored: ["\t#b"], shared: ["a", "# a", "#b"]),
    Case("\\#a\n\\!b\n", ignored: ["#a", "!b", "x/#a"], shared: ["a", "b"]),
    Case("a", ignored: ["a", "a/", "x/a", "a/x", "x/a/y"], shared: ["ab", "ba", "A", "x/ab"]),
    Case("/a", ignored: ["a", "a/b"], shared: ["x/a", "ab"]),
    Case("a/", ignored: ["a/", "x/a/", "a/b"], shared: ["a", "x/a"]),
    Case("/a/", ignored: ["a/", "a/b"], shared: ["a", "x/a/"]),
    Case("a/b", ignored: ["a/b", "a/b/c"], shared: ["x/a/b", "a", "b"]),
    Case("a/b/", ignored: ["a/b/", "a/b/c"], shared: ["a/b", "x/a/b/"]),
    Case("*.o", ignored: ["a.o", "x/a.o", ".o", "a.o/x"], shared: ["a.oo", "o", "ao"]),
    Case("a*b", ignored: ["ab", "axb", "aabb", "abab"], shared: ["a/b", "abc", "ba"]),
    Case("a/*", ignored: ["a/x", "a/x/y"], shared: ["a", "a/", "x/a/y"]),
    Case("a/*/c", ignored: ["a/x/c"], shared: ["a/c", "a/x/y/c"]),
    Case("?.c", ignored: ["a.c", "x/b.c"], shared: [".c", "ab.c"]),
    Case("a?c", ignored: ["abc", "a?c"], shared: ["a/c", "ac"]),
    Case("**/a", ignored: ["a", "x/a", "x/y/a"], shared: ["ab"]),
    Case("a/**", ignored: ["a/x", "a/x/y", "a/x/"], shared: ["a/", "a", "x/a/y"]),
    Case("a/**/b", ignored: ["a/b", "a/x/b", "a/x/y/b"], shared: ["ab", "b", "x/a/b"]),
    Case("**/a/**", ignored: ["a/x", "y/a/x"], shared: ["a/", "a", "y/a"]),
    Case("**", ignored: ["a", "a/b"]),
    Case("/**", ignored: ["a", "a/b"]),
    Case("/*", ignored: ["a", "a/b", "dir/"]),
    Case("/*\n!/a\n", ignored: ["b", "b/a"], shared: ["a", "a/b"]),
    Case("a**b", ignored: ["ab", "axxb"], shared: ["a/b"]),
    Case("x/a**b", ignored: ["x/ab", "x/ayb"], shared: ["x/a/b"]),
    Case("*.log\n!keep.log\n", ignored: ["a.log"], shared: ["keep.log", "x/keep.log"]),
    Case("!keep.log\n*.log\n", ignored: ["a.log", "keep.log"]),
    Case("dir/\n!dir/keep\n", ignored: ["dir/", "dir/keep", "dir/x"]),
    Case("dir/*\n!dir/keep\n", ignored: ["dir/x"], shared: ["dir/", "dir/keep"]),
    Case("a   ", ignored: ["a"], shared: ["a   "]),
    Case("a\\ ", ignored: ["a "], shared: ["a", "a\\ "]),
    Case("a\\   ", ignored: ["a "], shared: ["a", "a  "]),
    Case("a b", ignored: ["a b"], shared: ["a", "b"]),
    Case(" a", ignored: [" a"], shared: ["a"]),
    Case("a\r\nb\r\n", ignored: ["a", "b"], shared: ["a\r"]),
    Case("\u{feff}a\n", ignored: ["a"], shared: ["\u{feff}a"]),
    Case("[ab]x", ignored: ["ax", "bx"], shared: ["cx", "[ab]x", "x"]),
    Case("[!ab]x", ignored: ["cx", "]x"], shared: ["ax", "bx", "x"]),
    Case("[^ab]x", ignored: ["cx", "^x"], shared: ["ax", "bx"]),
    Case("[a-c]x", ignored: ["ax", "bx", "cx"], shared: ["dx", "-x"]),
    Case("[a-]x", ignored: ["ax", "-x"], shared: ["bx"]),
    Case("[]a]x", ignored: ["]x", "ax"], shared: ["bx"]),
    Case("[]-a]x", ignored: ["]x", "^x", "ax"], shared: ["-x", "bx"]),
    Case("[!]a]x", ignored: ["bx"], shared: ["]x", "ax"]),
    Case("[\\]a]x", ignored: ["]x", "ax"], shared: ["\\x"]),
    Case("[a\\-c]x", ignored: ["ax", "-x", "cx"], shared: ["bx"]),
    Case("[c-a]x", ignored: ["cx"], shared: ["ax", "bx"]),
    Case("[[:digit:]]x", ignored: ["0x", "9x"], shared: ["ax", ":x"]),
    Case("[[:alpha:]_]x", ignored: ["ax", "Zx", "_x"], shared: ["0x"]),
    Case("[![:space:]]x", ignored: ["ax"], shared: [" x", "\tx"]),
    Case("[[:nonsense:]]x", shared: ["nx", ":x"]),
    Case("[[:digit]x", ignored: ["dx", ":x", "[x"], shared: ["0x", "ax"]),
    Case("[abc", shared: ["a", "[abc"]),
    Case("a\\", shared: ["a", "a\\"]),
    Case("\\a\\*\\?\\[", ignored: ["a*?["], shared: ["ab?[", "\\a*?["]),
    Case("a[/]b", shared: ["a/b"]),
    Case("foo//bar", shared: ["foo/bar"]),
    Case("//foo", shared: ["foo", "x/foo"]),
    Case("foo//", shared: ["foo/", "foo"]),
    Case("/\n!\n!/\n", shared: ["a", "!"]),
    Case("ü", ignored: ["ü"], shared: ["u"]),
    Case("a\\/b", ignored: ["a/b"], shared: ["x/a/b"]),
  ]

  @Test(arguments: cases) func `a pattern means what git says`(_ one: Case) throws {
    let rules = try rules(one.patterns)
    for path in one.ignored { #expect(try match(rules, path) != nil, "\(path)") }
    for path in one.shared { #expect(try match(rules, path) == nil, "\(path)") }
  }

  @Test func `what everybody has is never shared, unless the file says so`() throws {
    for rules in [IgnoreRules(), try rules("x\n")] {
      for path in [
        ".Trash-1000/", ".Trash-1000/files/a", "a/.DS_Store", "Thumbs.db", "b/desktop.ini",
        ".~lock.text.odt#", "~$text.docx", ".nfs0000", "a/.fuse_hidden0001",
      ] {
        #expect(try match(rules, path)?.origin == .builtIn, "\(path)")
      }
      for path in ["Trash-1000", ".DS_Stores", "thumbs.db", ".~lock.text.odt", "$~a", ".nf"] {
        #expect(try match(rules, path) == nil, "\(path)")
      }
    }
    let other = try rules("!.DS_Store\n!.Trash-*\n")
    #expect(try match(other, "a/.DS_Store") == nil && match(other, ".Trash-1/x") == nil)
    #expect(try match(other, "Thumbs.db") != nil)
  }

  @Test func `what matched is named, with its line; of a folder it is what matched that`() throws {
    let rules = try rules("# first\n\n*.o\nbuild/\n!a.o\n")
    for (path, pattern, line) in [("x/b.o", "*.o", 3), ("build/a.o", "build/", 4)] {
      let match = try match(rules, path)
      #expect(match?.pattern == Array(pattern.utf8) && match?.origin == .line(line))
    }
    #expect(try match(rules, "a.o") == nil)
    #expect(
      try match(rules, ".Trash-0/files/a")?.pattern == Array(".Trash-*".utf8))
  }

  @Test func `the file itself is nobody else's, whatever it says; only at the top`() throws {
    let rules = try rules("!.fsharefsignore\n!*\n")
    #expect(try match(rules, ".fsharefsignore")?.origin == .ownFile)
    #expect(try match(rules, "a/.fsharefsignore") == nil)
  }

  @Test func `what lies in something that is shared by name is asked without its name`() throws {
    let rules = try rules("build\n*.o\n")
    let path = try SharePath(Array("build/a.o".utf8))
    #expect(rules.match(path, isDirectory: false, below: 1)?.origin == .line(2))
    #expect(rules.match(path, isDirectory: false, below: 2) == nil)
    let folder = try SharePath(Array("build".utf8))
    #expect(rules.match(folder, isDirectory: true, below: 1) == nil)
    #expect(rules.match(folder, isDirectory: true, below: 9) == nil)
  }

  @Test func `bytes that are no text match themselves`() throws {
    let rules = try IgnoreRules(file: [0xff, 0xfe, 0x0a, 0x61, 0x00, 0x62, 0x0a, 0x3f, 0x80])
    #expect(rules.match(try SharePath([0xff, 0xfe]), isDirectory: false) != nil)
    #expect(rules.match(try SharePath([0xff]), isDirectory: false) == nil)
    #expect(rules.match(try SharePath([0xc3, 0x80]), isDirectory: false) != nil)
  }

  /// Each would keep a matcher busy that tries everything: for longer than the stars have atoms.
  @Test(arguments: [
    String(repeating: "a*", count: 2_000) + "b", String(repeating: "*", count: 4_000) + "b",
    String(repeating: "**/", count: 1_300) + "b",
    String(repeating: "**/a*a/", count: 500) + "b", String(repeating: "?*", count: 2_000) + "b",
    "**/" + String(repeating: "*a", count: 1_900) + "b/**/c",
    String(repeating: "[a-z]*", count: 254) + "0",
  ])
  func `no pattern takes for ever`(pattern: String) throws {
    let rules = try rules(String(repeating: pattern + "\n", count: 10))
    let long = String(repeating: "a", count: 255)
    #expect(try match(rules, long) == nil)
    #expect(try match(rules, Array(repeating: "aa", count: 1_300).joined(separator: "/")) == nil)
    #expect(try match(rules, Array(repeating: long, count: 15).joined(separator: "/")) == nil)
  }

  @Test func `a hundred thousand patterns are many, more are too many`() throws {
    let built = IgnoreRules.builtIn.count
    let most = IgnoreRules.patternLimit - built
    // By name, by first byte, by last byte, by path.
    let kinds =
      [{ "n\($0)" }, { "n\($0)*x" }, { "*n\($0)" }, { "p/**/n\($0)?" }] as [(Int) -> String]
    let lines = (0..<most).map { kinds[$0 % 4]($0 / 4 % 1_000) }
    let rules = try rules(lines.joined(separator: "\n"))
    #expect(try match(rules, "n7")?.pattern == Array("n7".utf8) || match(rules, "n7") != nil)
    for path in ["n1001", "x/y/z", "p/a/b/n8", "q/a/b/n88", "m", "a/n7xx"] {
      _ = try match(rules, path)
    }
    #expect(try match(rules, "q/a/b/m88") == nil && match(rules, "p/a/n8z") != nil)
    #expect(throws: IgnoreRules.Fault.tooManyPatterns) {
      try self.rules((lines + ["one", "more"]).joined(separator: "\n"))
    }
  }

  @Test func `a mebibyte is long, more is too long`() throws {
    var file = [UInt8](repeating: UInt8(ascii: "#"), count: IgnoreRules.lengthLimit)
    file.replaceSubrange(file.count - 3..<file.count, with: Array("\nab".utf8))
    #expect(try match(IgnoreRules(file: file), "ab")?.origin == .line(2))
    #expect(throws: IgnoreRules.Fault.tooLong) { try IgnoreRules(file: file + [0x0a]) }
    // One line that no path is as long as.
    let line = [UInt8](repeating: UInt8(ascii: "*"), count: IgnoreRules.lengthLimit)
    #expect(try match(IgnoreRules(file: line), "a") == nil)
  }
}
