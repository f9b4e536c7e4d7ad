import Glibc

/// The process's environment.
package enum Environment {
  /// The value of a variable, as `PathText` says it; nil when it is unset or empty.
  package static func get(_ name: String) -> String? {
    // SAFETY: nothing changes the environment once threads run, and the string is copied at once.
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(path: value)
  }
}

/// The user's base folders (XDG Base Directory Specification).
package enum XDG {
  /// Where state is kept: `$XDG_STATE_HOME/fsharefs`, else `~/.local/state/fsharefs`.
  package static var state: String { folder("XDG_STATE_HOME", else: ".local/state") }

  /// Where shared files are kept: `$XDG_DATA_HOME/fsharefs`, else `~/.local/share/fsharefs`.
  package static var data: String { folder("XDG_DATA_HOME", else: ".local/share") }

  /// Where people write what they want: `$XDG_CONFIG_HOME/fsharefs`, else `~/.config/fsharefs`.
  package static var configuration: String { folder("XDG_CONFIG_HOME", else: ".config") }

  private static func folder(_ variable: String, else relative: String) -> String {
    // The specification says that relative values are to be ignored.
    if let base = Environment.get(variable), base.hasPrefix("/") { return base + "/fsharefs" }
    return home + "/" + relative + "/fsharefs"
  }

  /// The home folder of the user.
  package static var home: String {
    if let home = Environment.get("HOME"), home.hasPrefix("/") { return home }
    // SAFETY: the record is static storage, copied at once; used only at start, by one thread.
    guard let record = getpwuid(getuid()), let home = record.pointee.pw_dir else { return "/" }
    return String(path: home)
  }
}
