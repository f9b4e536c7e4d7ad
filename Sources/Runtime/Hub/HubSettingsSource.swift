import Logging
package import System

/// Where the settings of a hub's program come from, at its start and again at SIGHUP.
package struct HubSettingsSource: Sendable {
  private let path: String
  private let base: HubRuntime.Settings
  private let given: Set<String>
  private let isVerbose: Bool
  private let threshold: LogThreshold

  /// `path`: the file; `base`: what the command line says, and `given`: which names it says;
  /// `threshold`: of the log of this process.
  package init(
    path: String, base: HubRuntime.Settings, given: Set<String>, isVerbose: Bool,
    threshold: LogThreshold
  ) {
    self.path = path
    self.base = base
    self.given = given
    self.isVerbose = isVerbose
    self.threshold = threshold
  }

  /// Reads the file, and has the log follow it.
  package func read() throws(Ending) -> HubRuntime.Settings {
    let file = try ReloadableSettings(ofHub: path)
    let settings = try file.settings(base, given: given)
    threshold.level = isVerbose ? .debug : file.level ?? .notice
    return settings
  }
}
