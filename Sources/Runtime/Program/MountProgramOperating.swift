import Control
import Glibc
import Logging
import Mount
import Protocol
import System
import Transport

/// What a running mount does for who looks after the machine.
extension MountProgram {
  /// SIGHUP: the log is opened again under its name, and the settings that can be changed are read.
  /// It never ends a mount, also where it comes from a terminal that is gone. On the signal thread,
  /// which must not wait for a disk.
  func reloadRequested() {
    reloading.begin { [self] () throws(Ending) in
      let file = try readSettings()
      guard let hub = hub.withLock({ $0 }) else { return }
      try hub.use(file.settings(configuration.hubSettings, given: configuration.fixed))
    }
  }

  /// Reads what of the files of settings can be changed, and has the log follow it.
  func readSettings() throws(Ending) -> ReloadableSettings {
    let settings = try ReloadableSettings(
      paths: ConfigurationFile.paths(stateFolder: configuration.stateFolder))
    threshold.level = configuration.isVerbose ? .debug : settings.level ?? .notice
    return settings
  }

  /// Begins to look whether all gets on, where somebody wants to know: the service manager, or
  /// `always`.
  func startWatch(
    _ group: GroupSession, _ hub: HubRuntime?, always: Bool
  ) throws(SystemError) -> ProgressWatch? {
    let limit = ServiceNotifier.watchdogTime()
    guard always || limit != nil else { return nil }
    let pulses = [group.pulse] + (hub.map { [$0.pulse] } ?? [])
    var looks: [ProgressWatch.Look] = pulses.map { pulse in
      { pulse.trouble(now: $0, patience: ProgressWatch.patience) }
    }
    looks.append { [self] now in
      let turns = fuse.withLock { $0 }.flatMap { $0.turnsWhereNoneIsFree }
      return mountWatch.trouble(turns: turns, now: now, patience: ProgressWatch.patience)
    }
    // Takes the locks of session, namespace and fetcher: where one is not given back, this look
    // never ends.
    looks.append { [weak group] _ in
      group?.look()
      return nil
    }
    let watch = ProgressWatch(looks, limit: limit, notifier: notifier, log: log)
    try watch.start()
    return watch
  }

  /// Opens the port on which the program says how it does.
  func showStatus(
    at address: ListenAddress, _ metrics: PrometheusMetrics, _ group: GroupSession,
    _ hub: HubRuntime?, _ watch: ProgressWatch?
  ) throws(Ending) -> OperatorPort {
    hub?.beginShowing()
    let role =
      switch configuration.role {
      case .client: "member"
      case .master: "master"
      case .host: "host"
      }
    let port = try OperatorPort(
      at: address, showing: metrics,
      of: OperatorPort.Subject(
        program: "fsharefs", role: role,
        trouble: { [self] in
          if let hangs = watch?.trouble { return hangs }
          if let trouble = hub?.trouble { return trouble }
          let trouble = group.trouble
          return isMounted ? trouble : "not mounted yet: \(trouble ?? "it is about to be")"
        },
        measure: { [self] in
          hub?.measure()
          group.measure(isMounted: isMounted)
        }))
    startup.say("metrics are at \(port.url)")
    return port
  }

  private var isMounted: Bool { fuse.withLock { $0 } != nil }
}
