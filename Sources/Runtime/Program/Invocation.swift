import Control
import Glibc
import System

/// What the program was started with, as its command line has it. mount(8) starts it in three
/// ways: as `mount.fuse.fsharefs` or `mount.fsharefs`, links to it, with the words of a mount
/// helper; or, where those links are missing, through `mount.fuse3`, as `fsharefs` with a source, a
/// mountpoint and `-o`.
package struct Invocation: Sendable {
  /// The words for the parser of the command line: each setting that `-o` named is an option of its
  /// own there, in the order in which they came, so that the last one counts.
  package internal(set) var words: [String] = []
  /// Whether mount(8) asks: then the end is told by its exit codes, what is not said is for this
  /// mountpoint alone, and nobody sits there to be waited for.
  package private(set) var isByMount = false
  /// What fstab, or who typed `mount`, calls the source; nil where it was not mount(8).
  package private(set) var source: String?
  /// Where it is to be mounted; nil where it was not mount(8).
  package private(set) var mountpoint: String?
  /// `mount -f`: everything is done but the mount.
  package private(set) var isFake = false
  /// `mount -N`: the mount namespace in which all is done.
  package private(set) var namespace: String?
  /// `setuid=`: the user as whom all is done.
  package private(set) var user: String?
  /// Whether what is mounted there is to be changed.
  package private(set) var isRemount = false
  /// `mount -s`: options that are not known are passed over.
  private var isSloppy = false
  /// What is handed to the kernel.
  package internal(set) var kernelFlags: [String] = []
  /// The settings that were typed, or stand in fstab.
  var typed: [SaidSetting] = []
  /// What the last start has kept.
  var keptBefore: [SaidSetting] = []
  /// Whether a hub or an invite was named.
  package private(set) var namesHub = false
  /// Every setting that is in force but not by default, with where it comes from; the names of
  /// those that are said not to be are among them.
  package internal(set) var inForce: [(setting: SaidSetting, layer: SettingLayer)] = []

  /// Sources that name no hub: it is that of the last run, or the program's own.
  private static let noSources = ["none", "fsharefs", ""]

  /// `program`: the name by which it was called; `words`: those behind it. Throws: an ending with
  /// code 64 that says which of them is wrong.
  package init(program: String, words: [String]) throws(Ending) {
    isByMount = Self.isByMount(program: program, words: words)
    if Self.isHelper(program) {
      try readHelper(words)
    } else if isByMount {
      try readPlaces(words[0], words[1])
      try take(line: words[3])
      addPlaces()
    } else {
      try readCommandLine(words)
    }
  }

  /// Whether mount(8) asks, also where it asks for what is wrong.
  package static func isByMount(program: String, words: [String]) -> Bool {
    isHelper(program) || isThroughMountFuse(words)
  }

  private static func isHelper(_ program: String) -> Bool {
    let name = program.pathBytes.split(separator: UInt8(ascii: "/")).last ?? []
    return ["mount.fsharefs", "mount.fuse.fsharefs"].contains { Array($0.utf8) == Array(name) }
  }

  /// Whether `mount.fuse3` made these words: mount(8) says `rw` or `ro`, and `mount.fuse3` adds
  /// `dev` and `suid` where neither they nor their opposites are there. Nobody types all three.
  private static func isThroughMountFuse(_ words: [String]) -> Bool {
    guard words.count == 4, words[2] == "-o" else { return false }
    let options = Set(OptionWords.split(words[3]))
    return [["rw", "ro"], ["dev", "nodev"], ["suid", "nosuid"]].allSatisfy {
      !options.isDisjoint(with: $0)
    }
  }

  // MARK: As a mount helper

  /// `SOURCE MOUNTPOINT [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]`
  private mutating func readHelper(_ words: [String]) throws(Ending) {
    guard words.count >= 2, !words[0].hasPrefix("-") else {
      throw Ending(
        .usage,
        "mount(8) starts this: mount -t fuse.fsharefs HUB MOUNTPOINT -o OPTION[,OPTION...]")
    }
    try readPlaces(words[0], words[1])
    var lines: [String] = []
    var rest = words[2...]
    while let word = rest.popFirst() {
      switch word {
      case "-o", "-t", "-N":
        guard let value = rest.popFirst() else {
          throw Ending(.usage, "\(word): give it a value")
        }
        if word == "-o" { lines.append(value) }
        if word == "-N" { namespace = value }
      case _ where word.hasPrefix("-") && word.utf8.dropFirst().allSatisfy(Self.isLetter):
        // Of the two others, -n is about a file that is no more, and -v about mount(8) itself.
        if word.contains("s") { isSloppy = true }
        if word.contains("f") { isFake = true }
      default: throw Ending(.usage, "'\(word)' is nothing that mount(8) says to a helper")
      }
    }
    for line in lines { try take(line: line) }
    addPlaces()
  }

  private static func isLetter(_ byte: UInt8) -> Bool { "sfnv".utf8.contains(byte) }

  private mutating func readPlaces(_ source: String, _ mountpoint: String) throws(Ending) {
    guard !mountpoint.isEmpty else { throw Ending(.usage, "give a mountpoint") }
    self.source = source
    self.mountpoint = mountpoint
  }

  private mutating func addPlaces() {
    guard let source, let mountpoint else { return }
    words.append("--")
    if !Self.noSources.contains(source) {
      words.append(source)
      namesHub = true
    }
    words.append(mountpoint)
  }

  // MARK: As a command

  /// Puts what each `-o` says in its place.
  private mutating func readCommandLine(_ typed: [String]) throws(Ending) {
    var rest = typed[...]
    var places = 0
    defer { namesHub = places > 1 }
    while let word = rest.popFirst() {
      if word == "--" {
        words += [word] + rest
        places += rest.count
        return
      }
      if word == "-o", let line = rest.popFirst() {
        try take(line: line)
      } else if word.hasPrefix("-o"), word.utf8.count > 2 {
        try take(line: String(word.dropFirst(2)))
      } else {
        words.append(word)
        if let said = Self.said(by: word, &rest) {
          self.typed.append(said)
          // What stands behind it is its value, not a place.
          if said.value != nil, !word.contains("=") { words.append(said.value ?? "") }
        } else if !word.hasPrefix("-") {
          places += 1
        }
      }
    }
  }

  /// The setting that a long option is; its value is taken from `rest` where it is a word of its
  /// own. What is none is for the parser of the command line.
  private static func said(by word: String, _ rest: inout ArraySlice<String>) -> SaidSetting? {
    guard word.hasPrefix("--") else { return nil }
    let parts = word.dropFirst(2).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, let known = MountOption.named(String(name)),
      known.meaning == .commandLine
    else { return nil }
    guard case .required = known.value else { return SaidSetting(known.name) }
    if parts.count > 1 { return SaidSetting(known.name, String(parts[1])) }
    return rest.popFirst().map { SaidSetting(known.name, $0) }
  }

  // MARK: Options

  private mutating func take(line: String) throws(Ending) {
    for option in OptionWords.split(line) where !MountOption.isForOthers(option) {
      do throws(Ending) { try take(option) } catch {
        if !isSloppy { throw error }
      }
    }
  }

  private mutating func take(_ option: String) throws(Ending) {
    let (known, value) = try MountOption.found(option)
    typed.append(SaidSetting(known.name, value))
    switch known.meaning {
    case .commandLine:
      words.append("--" + known.name + (value.map { "=\($0)" } ?? ""))
    case .setting: words += ["-o", OptionWords.joined([option])]
    case .kernel:
      kernelFlags.removeAll { $0 == option }
      kernelFlags.append(option)
    case .cancels(let other): kernelFlags.removeAll { $0 == other }
    case .fixed, .fstab: break
    case .preparation:
      guard isByMount else {
        throw Ending(.usage, "-o \(option) is for mount(8): mount -t fuse.fsharefs -o \(option)")
      }
      if known.name == "remount" { isRemount = true } else { user = value }
    }
  }
}

extension Invocation {
  /// Goes where mount(8) said, as whom it said; a remount is done here, and ends the program. Call
  /// at the start, from one thread.
  package func settle() throws(Ending) {
    if let namespace {
      do throws(SystemError) {
        let file = OwnedDescriptor(
          try retryingOnInterrupt("mount namespace \(namespace)") {
            open(namespace.cPath, O_RDONLY | O_CLOEXEC)
          })
        try retryingOnInterrupt("mount namespace \(namespace)") {
          setns(file.raw, Int32(CLONE_NEWNS))
        }
      } catch { throw Ending(.failure, "\(error)") }
    }
    if let user { try Users.become(user) }
    if isRemount, let mountpoint {
      if !isFake { try Remounting.run(on: mountpoint, flags: kernelFlags) }
      exit(0)
    }
  }
}
