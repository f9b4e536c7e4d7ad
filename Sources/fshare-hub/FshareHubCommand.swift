import ArgumentParser
import Glibc
import HubArguments
import Logging
import Runtime
import System
import Transport

/// `fshare-hub`: the hub alone, in the foreground.
@main
struct FshareHubCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fshare-hub",
    abstract: "Relays between the members of one group; keeps no file of theirs.",
    version: ProgramVersion.text)

  @Option(help: "Where to listen.")
  var listen = ":7420"

  @Option(help: "The folder of the client registry.")
  var state: String?

  @OptionGroup var hubOptions: HubOptions

  @Flag(help: "Log more.")
  var verbose = false

  func run() throws {
    Signals.prepareProcess()
    StderrLogHandler.install(program: "fshare-hub", level: verbose ? .debug : .notice)
    do {
      try serve()
    } catch let ending as Ending {
      fail(ending)
    } catch let error as AddressError {
      fail(Ending(.usage, "\(error)"))
    } catch {
      fail(Ending(.failure, "\(error)"))
    }
  }

  private func serve() throws {
    var settings = HubRuntime.Settings()
    try hubOptions.apply(to: &settings)
    let folder = state ?? XDG.state + "/hub"
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
    let signals = try SignalWatcher { _ in ended.update { $0 = true } }
    defer { signals.stop() }
    try hub.start()
    defer { hub.stop() }
    let line = "fshare-hub: listening on \(ListenAddress(host: address.host, port: hub.port))\n"
    try File.writeAll(Array(line.utf8), to: STDOUT_FILENO, "stdout")
    let notifier = ServiceNotifier()
    notifier.ready()
    _ = ended.wait { $0 ? true : nil }
    notifier.stopping()
  }

  private func fail(_ ending: Ending) -> Never {
    try? File.writeAll(Array("fshare-hub: \(ending.text)\n".utf8), to: STDERR_FILENO, "stderr")
    Glibc.exit(ending.code.rawValue)
  }
}
