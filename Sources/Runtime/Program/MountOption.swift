import Control

/// What may stand behind `-o`, on the command line and in fstab: the one table of it. `--help`
/// shows it; the manual's table and the options of the command line are checked against it.
package struct MountOption: Sendable {
  /// What becomes of an option.
  package enum Meaning: Sendable, Equatable {
    /// The option of the command line that is `--` and the name.
    case commandLine
    /// A setting that only `-o` has.
    case setting
    /// Handed to the kernel as it is.
    case kernel
    /// As it is without it: it takes another option back.
    case cancels(String)
    /// Always so, or never, whatever is said.
    case fixed
    /// For mount(8), systemd and people who read fstab.
    case fstab
    /// Done before anything else, by who makes the mount.
    case preparation
  }

  package enum Value: Sendable, Equatable {
    case none
    /// What it is, as the help calls it.
    case required(String)
    case optional(String)
  }

  package let name: String
  package let value: Value
  package let meaning: Meaning

  private init(_ name: String, _ value: Value = .none, _ meaning: Meaning) {
    self.name = name
    self.value = value
    self.meaning = meaning
  }

  package static let all: [MountOption] =
    settings + access + kernel + fixed + fstab + commandLine

  private static let settings = [
    MountOption("timeout", .required("SECONDS"), .setting),
    MountOption("ack_timeout", .required("SECONDS"), .setting),
    MountOption("async_close", .none, .setting),
    MountOption("offline", .required("keep"), .setting),
    MountOption("memory", .required("MIB"), .setting),
    MountOption("max_files", .required("NUMBER"), .setting),
    MountOption("up", .required("RATE"), .setting),
    MountOption("down", .required("RATE"), .setting),
  ]

  private static let access = [
    MountOption("allow_other", .none, .setting), MountOption("allow_root", .none, .setting),
    MountOption("uid", .required("USER"), .setting),
    MountOption("gid", .required("GROUP"), .setting),
    MountOption("umask", .required("OCTAL"), .setting),
    MountOption("owners", .required("self"), .setting),
    MountOption("auto_unmount", .none, .setting),
    MountOption("fsname", .required("NAME"), .setting),
    MountOption("setuid", .required("USER"), .preparation),
    MountOption("remount", .none, .preparation),
  ]

  private static let kernel = [
    MountOption("ro", .none, .kernel), MountOption("rw", .none, .cancels("ro")),
    MountOption("noexec", .none, .kernel), MountOption("exec", .none, .cancels("noexec")),
    MountOption("noatime", .none, .kernel), MountOption("atime", .none, .cancels("noatime")),
    MountOption("sync", .none, .kernel), MountOption("async", .none, .cancels("sync")),
    MountOption("dirsync", .none, .kernel),
    MountOption("context", .required("CONTEXT"), .kernel),
    MountOption("fscontext", .required("CONTEXT"), .kernel),
    MountOption("defcontext", .required("CONTEXT"), .kernel),
    MountOption("rootcontext", .required("CONTEXT"), .kernel),
  ]

  private static let fixed =
    [
      "nosuid", "suid", "nodev", "dev", "default_permissions", "diratime", "nodiratime", "relatime",
      "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "iversion",
      "noiversion", "mand", "nomand", "silent", "loud",
    ].map { MountOption($0, .none, .fixed) }
    // What the kernel shows of a mount, and mount(8) says again for a remount.
    + ["user_id", "group_id"].map { MountOption($0, .required("NUMBER"), .fixed) }

  private static let fstab =
    [
      "defaults", "auto", "noauto", "users", "nouser", "nousers", "owner", "noowner", "group",
      "nogroup", "_netdev", "fail",
    ].map { MountOption($0, .none, .fstab) } + [
      MountOption("nofail", .none, .setting),
      MountOption("user", .optional("NAME"), .fstab),
      MountOption("comment", .required("TEXT"), .fstab),
      MountOption("uhelper", .required("NAME"), .fstab),
      MountOption("helper", .required("NAME"), .fstab),
    ]

  private static let commandLine =
    [
      "host", "master", "nowait", "fresh", "foreground", "insecure", "bulk-tls", "verbose",
      "tag-frames",
    ].map { MountOption($0, .none, .commandLine) }
    + [
      ("own", "DIR"), ("state", "DIR"), ("cache", "DIR"), ("cache-size", "MIB"), ("name", "NAME"),
      ("listen", "ADDR:PORT"), ("direct", "auto|off"), ("direct-listen", "ADDR:PORT"),
      ("metrics", "ADDR:PORT"), ("window-listen", "ADDR:PORT"), ("window-cert", "FILE"),
      ("claim-file", "FILE"),
      ("grace", "SECONDS"),
      ("chunk-seconds", "SECONDS"), ("chunk-cache", "MIB"), ("max-connections", "NUMBER"),
      ("max-waiting", "NUMBER"), ("max-queue", "MIB"), ("max-requests", "NUMBER"),
      ("max-rate", "NUMBER"), ("max-changes", "NUMBER"), ("max-questions", "NUMBER"),
      ("handshake-seconds", "SECONDS"), ("member-entries", "NUMBER"), ("member-paths", "MIB"),
      ("max-depth", "NUMBER"),
    ].map { MountOption($0, .required($1), .commandLine) }

  /// How it is typed.
  package var shown: String {
    switch value {
    case .none: name
    case .required(let what): "\(name)=\(what)"
    case .optional(let what): "\(name)[=\(what)]"
    }
  }

  /// What a shell offers behind `-o`: all but what has no effect here.
  package static let completions: [String] = all.compactMap { option in
    switch option.meaning {
    case .fixed, .fstab: return nil
    case .commandLine, .setting, .kernel, .cancels, .preparation: break
    }
    if case .required = option.value { return option.name + "=" }
    return option.name
  }

  /// Whether its value is the path of a folder.
  var isFolder: Bool { value == .required("DIR") }

  /// What `--help` says behind `-o`.
  package static let help: String = {
    let own = all.filter { [.setting, .kernel, .preparation].contains($0.meaning) }.map(\.shown)
    return own.joined(separator: ", ")
      + "; what fstab has for mount(8) and systemd; and every long option of these, such as "
      + "own=DIR. With commas between; \\, is a comma in a value."
  }()
}

// MARK: - Looking up

extension MountOption {
  private static let byName = Dictionary(
    uniqueKeysWithValues: all.map { (plain($0.name), $0) })

  /// Both `cache-size` and `cache_size` are meant by either.
  private static func plain(_ name: String) -> String { name.replacing("-", with: "_") }

  /// The option with this name; `-` and `_` are the same.
  static func named(_ name: String) -> MountOption? { byName[plain(name)] }

  /// What fstab keeps for other programs: `x-systemd.automount` and the like.
  static func isForOthers(_ option: String) -> Bool {
    option.hasPrefix("x-") || option.hasPrefix("X-")
  }

  /// An option with its value, as it was typed. Throws: an ending with code 64 that names it.
  static func found(
    _ option: String
  ) throws(Ending) -> (option: MountOption, value: String?) {
    let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let value = parts.count > 1 ? String(parts[1]) : nil
    guard let known = byName[plain(String(parts[0]))] else {
      let meant = Suggestion.nearest(to: plain(String(parts[0])), of: all.map { plain($0.name) })
        .flatMap { byName[$0] }.map { ": did you mean '\($0.shown)'?" }
      throw Ending(
        .usage, "unknown option '-o \(option)'\(meant ?? "; fsharefs --help lists what there is")")
    }
    switch (known.value, value) {
    case (.none, .some): throw Ending(.usage, "-o \(option): '\(known.name)' takes no value")
    case (.required, nil), (.required, ""):
      throw Ending(.usage, "-o \(option): give it a value, as in '\(known.shown)'")
    default: return (known, value)
    }
  }
}
