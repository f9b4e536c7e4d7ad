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

  @Option(help: "Where to listen.")
  var listen = ":7420"

  @Option(help: "The folder of the client registry.", completion: .directory)
  var state: String?

  @OptionGroup var hubOptions: HubOptions

  @Flag(help: "Take control connections of other machines without TLS too.")
  var insecure = false

  @Flag(help: "Log more.")
  var verbose = false

  func run() throws {
    Signals.prepareProcess()
    DescriptorLimit.raise()
    StderrLogHandler.install(program: "fshare-hub", level: verbose ? .debug : .notice)
    FshareHubCommand.run(serve)
  }

  private func serve() throws {
    Allocator.keepFreedMemory()
    var settings = HubRuntime.Settings()
    try hubOptions.apply(to: &settings)
    if insecure { settings.plain = .everyone }
    let folder = state ?? FshareHubCommand.defaultState
    let lock: OwnedDescriptor
    do throws(SystemError) {
      try File.makeDirectories(folder, mode: 0o700)
      lock = try File.lock(folder + "/lock")
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the state folder \(folder) is in use by another hub" : "\(error)")
    }
    defer { withExtendedLifetime(lock) {} }
    let address = try ListenAddress(parsing: listen)
    let hub = try HubRuntime(
      listen: address, stateFolder: folder, settings: settings, log: Logger(label: "fshare-hub"))
    let ended = Monitor(false)
    // Whoever asks a second time does not want to wait.
    let signals = try SignalWatcher { _ in
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
    try FshareHubCommand.say("fshare-hub: the TLS key is \(hub.fingerprint)")
    try FshareHubCommand.say("fshare-hub: listening on \(listens)")
    let notifier = ServiceNotifier()
    notifier.ready()
    _ = ended.wait { $0 ? true : nil }
    notifier.stopping()
  }

  /// What the hub says while it has no master. The code is for a person at a terminal: an output
  /// that is kept in a journal is read by others.
  private func hint(_ code: ClaimCode, _ folder: String) -> String {
    isatty(STDOUT_FILENO) == 1
      ? "fshare-hub: no master yet; claim code: \(code)"
      : "fshare-hub: no master yet; to see the claim code: fshare-hub claim-code --state \(folder)"
  }
}
