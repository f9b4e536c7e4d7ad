package import Logging
import System

/// Settings that can be changed while a program runs: those of the files of settings, which are
/// read at the start, and again at SIGHUP.
///
/// What the command line says goes before what a file says, or nobody could tell what is in force.
package struct ReloadableSettings: Sendable, Equatable {
  /// From which level on lines are logged; nil where no file says it.
  package private(set) var level: Logger.Level?
  /// What is said of the hub.
  package private(set) var hub: [Number] = []

  /// One setting of the hub.
  package struct Number: Sendable, Equatable {
    let name: String
    let value: Int
  }

  /// Nothing is said.
  package init() {}

  /// What of the files can be changed; all else in them is for the start. Throws: an ending with
  /// code 64 that names file and setting of what cannot be.
  package init(paths: [String]) throws(Ending) {
    for path in paths { try take(ConfigurationFile(path: path), path) }
  }

  /// What the file of a hub alone says: there is nothing for the start in it.
  package init(ofHub path: String) throws(Ending) {
    let file = try ConfigurationFile(path: path)
    for one in file.settings where !Self.isReloadable(one.name) {
      throw Ending(.usage, "\(path): a hub alone has '\(one.name)' on its command line only")
    }
    try take(file, path)
  }

  private static func isReloadable(_ name: String) -> Bool {
    name == ConfigurationFile.logLevel || HubRuntime.Settings.ranges.contains { $0.name == name }
  }

  /// What was said before goes before what this file says.
  package mutating func take(_ file: ConfigurationFile, _ path: String) throws(Ending) {
    for one in file.settings where Self.isReloadable(one.name) {
      do throws(Ending) { try take(one.name, one.value ?? "") } catch {
        throw Ending(.usage, "\(path): \(error.text)")
      }
    }
  }

  private mutating func take(_ name: String, _ value: String) throws(Ending) {
    if name == ConfigurationFile.logLevel {
      guard let level = Logger.Level(rawValue: value) else {
        throw Ending(.usage, "log-level \(value): debug, info, notice, warning, error or critical")
      }
      self.level = self.level ?? level
      return
    }
    guard let number = Int(value) else {
      throw Ending(.usage, "\(name) \(value): a whole number")
    }
    // Whether the number can be is found here, too, and not first by whoever applies it.
    var trial = HubRuntime.Settings()
    try trial.set(name, to: number)
    if hub.contains(where: { $0.name == name }) { return }
    hub.append(Number(name: name, value: number))
  }

  /// The settings of a hub: `base`, which the command line made, with what the files say beside it.
  /// `given`: names that the command line has said.
  package func settings(
    _ base: HubRuntime.Settings, given: Set<String>
  ) throws(Ending) -> HubRuntime.Settings {
    var settings = base
    for one in hub where !given.contains(one.name) { try settings.set(one.name, to: one.value) }
    return settings
  }
}
