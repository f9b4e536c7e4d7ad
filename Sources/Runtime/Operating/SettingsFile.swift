import Glibc
package import Logging
import System

/// Settings that can be changed while a program runs: the file is read at the start, and again at
/// SIGHUP. A line is `name = number`, or `log-level = debug`; `#` begins a remark.
///
/// What the command line says goes before what the file says, or nobody could tell what is in
/// force. Without the file all is as the command line and the defaults say.
package struct SettingsFile: Sendable, Equatable {
  /// The file's name in a state folder.
  package static let name = "settings"
  /// A longer file holds something else.
  private static let limit = 65_536

  /// From which level on lines are logged; nil where the file does not say.
  package private(set) var level: Logger.Level?
  /// What it says of the hub, in the order of its lines.
  package private(set) var hub: [Number] = []

  /// One setting of the hub.
  package struct Number: Sendable, Equatable {
    let name: String
    let value: Int
  }

  /// A file that says nothing.
  package init() {}

  /// Reads a file; one that is missing says nothing. Throws: an ending with code 64 that names the
  /// line that cannot be.
  package init(path: String) throws(Ending) {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try File.readRegular(path, limit: Self.limit) } catch {
      guard error.code != ENOENT else {
        self.init()
        return
      }
      throw Ending(.usage, "settings \(path): \(error)")
    }
    try self.init(text: String(decoding: bytes, as: UTF8.self), from: path)
  }

  /// Reads what a file says. `path`: its name, for people.
  package init(text: String, from path: String) throws(Ending) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let said = line.prefix { $0 != "#" }
      let words = said.split { $0 == "=" || $0.isWhitespace }.map(String.init)
      if words.isEmpty { continue }
      do throws(Ending) {
        guard words.count == 2 else { throw Ending(.usage, "a line is 'name = value'") }
        try take(words[0], words[1])
      } catch {
        throw Ending(.usage, "settings \(path), line \(index + 1): \(error.text)")
      }
    }
  }

  private mutating func take(_ name: String, _ value: String) throws(Ending) {
    if name == "log-level" {
      guard let level = Logger.Level(rawValue: value) else {
        throw Ending(.usage, "log-level \(value): debug, info, notice, warning, error or critical")
      }
      self.level = level
      return
    }
    guard let number = Int(value) else {
      throw Ending(.usage, "\(name) \(value): a whole number")
    }
    // Whether the number can be is found here, too, and not first by whoever applies it.
    var trial = HubRuntime.Settings()
    try trial.set(name, to: number)
    hub.append(Number(name: name, value: number))
  }

  /// The settings of a hub: `base`, which the command line made, with what this file says beside
  /// it. `given`: names that the command line has said.
  package func settings(
    _ base: HubRuntime.Settings, given: Set<String>
  ) throws(Ending) -> HubRuntime.Settings {
    var settings = base
    for one in hub where !given.contains(one.name) { try settings.set(one.name, to: one.value) }
    return settings
  }
}
