import ArgumentParser
import Glibc
import HubArguments
import Logging
import Protocol
import Runtime
import State
import System
import Transport

/// `fshare-hub serve`: the hub, in the foreground.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves, in the foreground.")

  @Option(help: ArgumentHelp("Where to listen.", valueName: "[addr]:port"))
  var listen = ":7420"

  @Option(
    help: ArgumentHelp("The folder of keys and of the client registry.", valueName: "dir"),
    completion: .directory)
  var state: String?

  @OptionGroup var hubOptions: HubOptions

  @Flag(help: "Take control connections of other machines without TLS too.")
  var insecure = false

  @Option(
    help: ArgumentHelp(
      "A file of settings, which SIGHUP reads again.",
      discussion: "Default: config.toml in the state folder.", valueName: "file"),
    completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp(
      "A file for the log, of at most 4 MiB, with as much of what was before beside it.",
      valueName: "file"),
    completion: .file())
  var logFile: String?

  @Option(
    help: ArgumentHelp(
      "Answer /healthz and /metrics there (address, port or both; 127.0.0.1 without one).",
      valueName: "addr:port"))
  var metrics: String?

  @Flag(help: "Log more.")
  var verbose = false

  @Flag(name: .customLong("help-all"), help: "Show also the limits that hardly anybody changes.")
  var helpAll = false

  func run() throws {
    Signals.prepareProcess()
    DescriptorLimit.raise()
    FshareHubCommand.run(serve)
  }

  private func serve() throws {
    Allocator.keepFreedMemory()
    if let logFile {
      do throws(SystemError) { try LogFile.check(logFile) } catch {
        throw Ending(.folder, "\(error)")
      }
    }
    let log = logFile.map { LogFile(path: $0, leading: [STDERR_FILENO]) }
    let threshold = StderrLogHandler.install(
      program: "fshare-hub", level: verbose ? .debug : .notice, file: log)
    let folder = state ?? FshareHubCommand.defaultState
    let lock = try lockState(folder)
    defer { withExtendedLifetime(lock) {} }
    let sources = HubSettingsSource(
      path: config ?? "\(folder)/\(ConfigurationFile.name)", base: try baseSettings(),
      given: hubOptions.given, isVerbose: verbose, threshold: threshold)
    let address = try ListenAddress(parsing: listen)
    let metrics = try metrics.map {
      (try ListenAddress(parsingProbe: $0), OperatorPort.beginCounting())
    }
    let hub: HubRuntime
    do {
      hub = try HubRuntime(
        listen: address, stateFolder: folder, settings: try sources.read(),
        log: Logger(label: "fshare-hub"))
    } catch let error as SystemError { throw Ending(listeningOn: address, failed: error) }
    let notifier = ServiceNotifier()
    let reloading = Reloading(
      log: Logger(label: "fshare-hub"), logFile: log, notifier: notifier)
    let ended = Monitor(false)
    let signals = try SignalWatcher { number in
      if number == SIGHUP {
        return reloading.begin { () throws(Ending) in try hub.use(sources.read()) }
      }
      // Whoever asks a second time does not want to wait.
      if ended.withLock({ $0 }) { _exit(Runtime.ExitCode.success.rawValue) }
      ended.update { $0 = true }
    }
    defer { signals.stop() }
    if let code = hub.claimCode { try FshareHubCommand.say(hint(code, folder)) }
    try hub.start()
    defer { hub.stop() }
    let listens = "\(ListenAddress(host: address.host, port: hub.port))"
    let endControl = HubControl.start(
      hub, listens: listens, stateFolder: folder, log: Logger(label: "fshare-hub"))
    defer { endControl?() }
    let operating = try HubOperating(hub, metrics, notifier)
    defer { operating.stop() }
    try FshareHubCommand.say("fshare-hub: the TLS key is \(hub.fingerprint)")
    if let url = operating.url { try FshareHubCommand.say("fshare-hub: metrics are at \(url)") }
    try FshareHubCommand.say("fshare-hub: listening on \(listens)")
    notifier.ready()
    _ = ended.wait { $0 ? true : nil }
    notifier.stopping()
  }

  private func baseSettings() throws(Ending) -> HubRuntime.Settings {
    var settings = HubRuntime.Settings()
    try hubOptions.apply(to: &settings)
    if insecure { settings.plain = .everyone }
    return settings
  }

  private func lockState(_ folder: String) throws(Ending) -> OwnedDescriptor {
    do throws(SystemError) {
      try File.makeDirectories(folder, mode: 0o700)
      return try File.lock(folder + "/lock")
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the state folder \(folder) is in use by another hub" : "\(error)")
    }
  }

  /// What the hub says while it has no master. The code is for a person at a terminal: an output
  /// that is kept in a journal is read by others.
  private func hint(_ code: ClaimCode, _ folder: String) -> String {
    isatty(STDOUT_FILENO) == 1
      ? "fshare-hub: no master yet; claim code: \(code)"
      : "fshare-hub: no master yet; to see the claim code: fshare-hub claim-code --state \(folder)"
  }
}
