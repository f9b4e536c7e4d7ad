import Control
import Glibc
import System
import TOMLKit

/// A file of settings, in TOML: `name = value`, where the name is that of an option, and the value
/// a text, a whole number, or `true` and `false` for an option that takes none. Every such file may
/// also say `log-level`.
///
/// There may be three: one in the state folder, for this mount alone; one of the user; one of the
/// machine. What is said in the one named first goes before what is said in the next.
package struct ConfigurationFile: Sendable, Equatable {
  /// The file's name in a state folder, and in the user's folder of configurations.
  package static let name = "config.toml"
  /// What it is from which level on lines are logged: no option has that name.
  static let logLevel = "log-level"
  /// A longer file holds something else.
  private static let limit = 65_536
  /// Options that are about one start alone, or about what is said before there is a file.
  private static let notHere: Set<String> = [
    "claim-file", "foreground", "fresh", "setuid", "remount", "nofail",
  ]

  /// What it says, by names in their order.
  package private(set) var settings: [SaidSetting] = []

  /// A file that says nothing.
  package init() {}

  /// Reads a file; one that is missing says nothing. Throws: an ending with code 64 that names
  /// file, and line or setting, of what cannot be.
  package init(path: String) throws(Ending) {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try File.readRegular(path, limit: Self.limit) } catch {
      guard error.code != ENOENT, error.code != ENOTDIR else {
        self.init()
        return
      }
      throw Ending(.usage, "\(path): \(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Ending(.usage, "\(path): it is not text in UTF-8, as TOML is")
    }
    try self.init(text: text, from: path)
  }

  /// Reads what a file says. `path`: its name, for people.
  package init(text: String, from path: String) throws(Ending) {
    // The parser hands texts over as C has them: what is behind a zero byte would be lost.
    for zero in [#"\u0000"#, #"\U00000000"#] where text.contains(zero) {
      throw Ending(.usage, "\(path): no setting has a zero byte (\(zero))")
    }
    let table: TOMLTable
    do { table = try TOMLTable(string: text) } catch let error as TOMLParseError {
      throw Ending(
        .usage, "\(path), line \(error.source.begin.line): \(error.description) (it is TOML)")
    } catch { throw Ending(.usage, "\(path): \(error)") }
    for name in table.keys.sorted() {
      do throws(Ending) { settings.append(try Self.said(name, table[name])) } catch {
        throw Ending(.usage, "\(path): \(error.text)")
      }
    }
    for (index, one) in settings.enumerated().dropFirst() {
      guard settings[..<index].contains(where: { $0.name == one.name }) else { continue }
      throw Ending(.usage, "\(path): '\(one.name)' is there twice")
    }
  }

  private static func said(
    _ typed: String, _ value: (any TOMLValueConvertible)?
  ) throws(Ending) -> SaidSetting {
    let text = value?.string ?? value?.int.map { "\($0)" }
    if typed == logLevel {
      guard let text else { throw Ending(.usage, "\(typed): give it a text, as in \"debug\"") }
      return SaidSetting(logLevel, text)
    }
    guard let known = MountOption.named(typed), isFor(known) else {
      let names = MountOption.all.filter(isFor).map(\.name) + [logLevel]
      let meant = Suggestion.nearest(to: typed, of: names).map { ": did you mean '\($0)'?" }
      throw Ending(.usage, "there is no setting '\(typed)'\(meant ?? "")")
    }
    switch known.value {
    case .none:
      guard let isOn = value?.bool else {
        throw Ending(.usage, "\(typed): true or false")
      }
      return SaidSetting(known.name, isOff: !isOn)
    case .required, .optional:
      guard let text, !text.isEmpty else {
        throw Ending(.usage, "\(typed): give it a value, as in '\(known.shown)'")
      }
      return SaidSetting(known.name, known.isFolder ? try Self.absolute(typed, text) : text)
    }
  }

  private static func isFor(_ option: MountOption) -> Bool {
    switch option.meaning {
    case .commandLine, .setting, .kernel, .cancels: !notHere.contains(option.name)
    case .fixed, .fstab, .preparation: false
    }
  }

  /// Nobody knows where a file of settings is read from.
  private static func absolute(_ name: String, _ path: String) throws(Ending) -> String {
    if path.hasPrefix("/") { return path }
    if path.hasPrefix("~/") { return XDG.home + path.dropFirst() }
    throw Ending(.usage, "\(name): an absolute path, or one that begins with ~/")
  }
}

extension ConfigurationFile {
  /// The files that are read, those that go before others first. `stateFolder`: nil where it is not
  /// known yet; then the one that lies in it is not among them.
  package static func paths(stateFolder: String?) -> [String] {
    let own = stateFolder.map { ["\($0)/\(name)"] } ?? []
    return own + ["\(XDG.configuration)/\(name)", "/etc/fsharefs.toml"]
  }
}
