import Logging
package import System

/// Where the settings of a hub's program come from, at its start and again at SIGHUP.
package struct HubSettingsSource: Sendable {
  private let path: String
  private let base: HubRuntime.Settings
  private let given: Set<String>
  private let isVerbose: Bool
  private let threshold: LogThreshold
  private let logFile: LogFile?

  /// `path`: the file; `base`: what the command line says, and `given`: which names it says;
  /// `threshold` and `logFile`: the log of this process.
  package init(
    path: String, base: HubRuntime.Settings, given: Set<String>, isVerbose: Bool,
    threshold: LogThreshold, logFile: LogFile?
  ) {
    self.path = path
    self.base = base
    self.given = given
    self.isVerbose = isVerbose
    self.threshold = threshold
    self.logFile = logFile
  }

  /// Reads the file, and has the log follow it.
  package func read() throws(Ending) -> HubRuntime.Settings {
    let file = try SettingsFile(path: path)
    let settings = try file.settings(base, given: given)
    threshold.level = isVerbose ? .debug : file.level ?? .notice
    return settings
  }

  /// Opens the log again under its name, reads the file, and has a hub go on with it. In a thread
  /// of its own: whoever calls must not wait for a disk.
  package func reload(_ hub: HubRuntime, _ notifier: ServiceNotifier) {
    let reloading = try? Thread.start(name: "reloading") {
      notifier.reloading()
      logFile?.reopen()
      do throws(Ending) {
        try hub.use(read())
        hub.log.notice("the settings were read again, and the log opened")
      } catch {
        hub.log.error("not all settings were read again: \(error)")
      }
      notifier.ready()
    }
    if reloading == nil { hub.log.error("the settings are not read again: there is no thread") }
  }
}
