import ArgumentParser
import Glibc
import HubArguments
import Logging
import Runtime
import System
import Window

/// `fsharefs`: mounts the share.
@main
struct FsharefsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsharefs",
    abstract: "Mounts one directory with everything that the members of a group share.",
    usage: """
      fsharefs --host MOUNTPOINT            begin a group: hub, master app and mount in one
      fsharefs LINK MOUNTPOINT              join a group by its invite (fsharefs://...)
      fsharefs HUB MOUNTPOINT               join the group of a hub
      fsharefs MOUNTPOINT                   join it again
      """,
    discussion: "Unmounting (fusermount3 -u MOUNTPOINT) leaves the network.",
    version: ProgramVersion.text)

  private static let hubTitle = "Hub And Master Options"

  @Argument(
    help: ArgumentHelp(
      "An invite, or the hub's address (host[:port], default port 7420); then the mountpoint.",
      valueName: "place"),
    completion: .directory)
  var places: [String]

  @OptionGroup(title: "Mount Options") var mount: MountOptions

  @Flag(name: .customLong("help-all"), help: "Show also the limits that hardly anybody changes.")
  var helpAll = false

  @OptionGroup(title: hubTitle) var role: RoleOptions

  @OptionGroup(title: hubTitle) var hubOptions: HubOptions

  @OptionGroup(title: hubTitle) var listOptions: ListOptions

  /// Paths are bytes, so the words are not taken as Swift has them.
  static func main() {
    CoreDump.forbid()
    let (program, words) = (Arguments.program, Arguments.all)
    if program == WindowProgram.name { serveWindow(words) }
    let isByMount = Invocation.isByMount(program: program, words: words)
    var invocation: Invocation
    do throws(Ending) {
      invocation = try Invocation(program: program, words: words)
      try invocation.settle()
      tellIfAsked(invocation)
      try SettingPlaces.complete(&invocation)
    } catch { fail(error, isByMount: isByMount) }
    do {
      var command = try parseAsRoot(Self.parsed(invocation.words))
      guard let mounting = command as? FsharefsCommand else { return try command.run() }
      mounting.run(invocation)
    } catch {
      let text = message(for: error)
      let origin = invocation.origin(ofComplaint: text)
      guard invocation.isByMount || origin != nil, !exitCode(for: error).isSuccess else {
        exit(withError: error)
      }
      fail(Ending(.usage, text + told(origin)), isByMount: invocation.isByMount)
    }
  }

  /// This process is the window of another.
  private static func serveWindow(_ words: [String]) -> Never {
    guard let settings = WindowProgram.Settings(words: words) else {
      fail(Ending(.usage, "\(WindowProgram.name) is started by fsharefs"), isByMount: false)
    }
    _ = StderrLogHandler.install(program: WindowProgram.name, level: .notice, file: nil)
    Glibc.exit(WindowProgram.run(settings))
  }

  /// Help and version are told whatever stands in a file of settings.
  private static func tellIfAsked(_ invocation: Invocation) {
    do {
      var command = try parseAsRoot(parsed(invocation.words))
      if command is FsharefsCommand { return }
      // The parser's own.
      try command.run()
    } catch {
      if exitCode(for: error).isSuccess { exit(withError: error) }
    }
  }

  private func run(_ invocation: Invocation) {
    func fail(_ ending: Ending) -> Never {
      let origin = ending.code == .usage ? invocation.origin(ofComplaint: ending.text) : nil
      Self.fail(
        Ending(ending.code, ending.text + Self.told(origin)), isByMount: invocation.isByMount)
    }
    Signals.prepareProcess()
    Allocator.keepFreedMemory()
    DescriptorLimit.raise()
    // What is made in the own folder gets the mode that it is made with: the umask of whoever asks
    // is applied there.
    _ = umask(0)
    let configuration: MountConfiguration
    do throws(Ending) {
      let made = try makeConfiguration(invocation)
      if invocation.isFake { Glibc.exit(0) }
      configuration = try completed(made, invocation)
      if let taken = invocation.takenFromLastStart, !configuration.isForeground {
        Startup.tell("as at the last start: \(taken) (--fresh forgets it)")
      }
    } catch { fail(error) }
    let words = FirstWords(
      mountpoint: configuration.mountpoint, stateFolder: configuration.stateFolder)
    let startup: Startup
    do throws(SystemError) {
      startup =
        configuration.isForeground
        ? .foreground
        : try .daemonise(
          logFile: configuration.stateFolder + "/log", isByMount: invocation.isByMount,
          mounted: invocation.isByMount ? {} : words.say)
    } catch { fail(Ending(.folder, "\(error)")) }
    let threshold = StderrLogHandler.install(
      program: "fsharefs", level: configuration.isVerbose ? .debug : .notice,
      file: startup.logFile)
    let program = MountProgram(
      configuration: configuration, startup: startup, threshold: threshold,
      log: Logger(label: "fsharefs"))
    Glibc.exit(ExitStatus.of(program.run(), isByMount: invocation.isByMount))
  }

  /// The parser has a name of its own for the help with all options. Behind `--` are places.
  private static func parsed(_ words: [String]) -> [String] {
    let options = words.prefix { $0 != "--" }
    return options.map { $0 == "--help-all" ? "--help-hidden" : $0 } + words[options.count...]
  }

  private static func told(_ origin: String?) -> String { origin.map { " (\($0) says so)" } ?? "" }

  private static func fail(_ ending: Ending, isByMount: Bool) -> Never {
    Startup.foreground.failed(ending)
    Glibc.exit(ExitStatus.of(ending.code, isByMount: isByMount))
  }
}
