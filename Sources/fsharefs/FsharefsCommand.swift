import ArgumentParser
import Glibc
import HubArguments
import Logging
import Protocol
import Runtime
import System
import Transport

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

  @Argument(
    help: "An invite, or the hub's address (host[:port], default port 7420); then the mountpoint.",
    completion: .directory)
  var places: [String]

  @Flag(help: "Run the hub and the master app in this process too.")
  var host = false

  @Flag(help: "Be the group's master app.")
  var master = false

  @Option(help: "Where the hub listens, with --host.")
  var listen = ":7420"

  @Option(help: "The folder in which one's own files lie.", completion: .directory)
  var own: String?

  @Option(help: "The folder of keys, index and control socket.", completion: .directory)
  var state: String?

  @Option(
    help: "A folder in which what is read of others' files is kept, also for the next run.",
    completion: .directory)
  var cache: String?

  @Option(help: "MiB that --cache may hold (default 10240).")
  var cacheSize: Int?

  @Option(help: "This device's name.")
  var name: String?

  @Option(
    help: "With --master: a file with the claim code of a hub that has no master yet (-: stdin).",
    completion: .file())
  var claimFile: String?

  @Flag(help: "Mount at once, empty, and go on connecting for ever.")
  var nowait = false

  @Flag(name: [.customShort("f"), .customLong("foreground")], help: "Stay in the foreground.")
  var foreground = false

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp(MountOption.help, valueName: "option"),
    completion: .list(MountOption.completions))
  var options: [String] = []

  @OptionGroup var hubOptions: HubOptions

  @OptionGroup var listOptions: ListOptions

  @Flag(help: "Use, and with --host take, control connections of other machines without TLS.")
  var insecure = false

  @Flag(help: "Use TLS for the bulk streams too, whose content is sealed in any case.")
  var bulkTls = false

  @Option(
    help: "Answer /healthz and /metrics there (address, port or both; 127.0.0.1 without one).")
  var metrics: String?

  @Flag(help: "Log more.")
  var verbose = false

  /// Paths are bytes, so the words are not taken as Swift has them.
  static func main() {
    CoreDump.forbid()
    let (program, words) = (Arguments.program, Arguments.all)
    let isByMount = Invocation.isByMount(program: program, words: words)
    let invocation: Invocation
    do throws(Ending) {
      invocation = try Invocation(program: program, words: words)
      try invocation.settle()
    } catch { fail(error, isByMount: isByMount) }
    do {
      var command = try parseAsRoot(invocation.words)
      guard let mounting = command as? FsharefsCommand else { return try command.run() }
      mounting.run(invocation)
    } catch {
      guard invocation.isByMount else { exit(withError: error) }
      fail(Ending(.usage, message(for: error)), isByMount: true)
    }
  }

  private func run(_ invocation: Invocation) {
    func fail(_ ending: Ending) -> Never { Self.fail(ending, isByMount: invocation.isByMount) }
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
    } catch { fail(error) }
    let startup: Startup
    do throws(SystemError) {
      startup =
        configuration.isForeground
        ? .foreground
        : try .daemonise(
          logFile: configuration.stateFolder + "/log", isByMount: invocation.isByMount)
    } catch { fail(Ending(.folder, "\(error)")) }
    let threshold = StderrLogHandler.install(
      program: "fsharefs", level: configuration.isVerbose ? .debug : .notice,
      file: startup.logFile)
    let program = MountProgram(
      configuration: configuration, startup: startup, threshold: threshold,
      log: Logger(label: "fsharefs"))
    Glibc.exit(ExitStatus.of(program.run(), isByMount: invocation.isByMount))
  }

  private func makeConfiguration(_ invocation: Invocation) throws(Ending) -> MountConfiguration {
    guard (1...2).contains(places.count) else {
      throw Ending(.usage, "give a mountpoint, and before it the hub's address")
    }
    if host && master { throw Ending(.usage, "--host is a master already: leave --master out") }
    if host && places.count == 2 {
      throw Ending(.usage, "--host runs the hub itself: leave the hub's address out")
    }
    let mountpoint = absolute(places[places.count - 1])
    let stateFolder =
      if let state {
        absolute(state)
      } else if invocation.isByMount {
        try MountpointState.folder(for: mountpoint)
      } else {
        XDG.state
      }
    let hasOneOfItsOwn = state != nil || invocation.isByMount
    let ownFolder =
      own.map(absolute) ?? (hasOneOfItsOwn ? stateFolder + "/own" : XDG.data + "/own")
    let (hub, invite) = try group()
    var configuration = MountConfiguration(
      role: host ? .host : master ? .master : .client, hub: hub,
      mountpoint: mountpoint,
      listen: try parsed(listen) { try ListenAddress(parsing: $0) }, ownFolder: ownFolder,
      stateFolder: stateFolder, name: try deviceName(),
      waiting: nowait ? .nothing : .list(orMaster: invocation.isByMount),
      isForeground: foreground, isVerbose: verbose)
    if let claimFile { configuration.claim = try claim(in: claimFile) }
    configuration.invite = invite
    configuration.isInsecure = insecure
    configuration.tlsBulk = bulkTls
    if insecure { configuration.given.insert("insecure") }
    if bulkTls { configuration.given.insert("bulk-tls") }
    if let metrics {
      configuration.metrics = try parsed(metrics) { try ListenAddress(parsingProbe: $0) }
      configuration.given.insert("metrics")
    }
    if let hub { try configuration.check(hub) }
    try configuration.apply(options: options)
    configuration.take(invocation)
    try configuration.setCache(folder: cache.map(absolute), size: cacheSize)
    try hubOptions.apply(to: &configuration.hubSettings)
    try listOptions.apply(to: &configuration)
    if insecure { configuration.hubSettings.plain = .everyone }
    configuration.given.formUnion(hubOptions.given)
    return configuration
  }

  /// What is needed before the command goes into the background: a state folder that is fit for
  /// secrets, and the secret that only a person can give.
  private func completed(
    _ made: MountConfiguration, _ invocation: Invocation
  ) throws(Ending) -> MountConfiguration {
    var configuration = made
    try StateFolder.prepare(configuration.stateFolder)
    guard configuration.role == .master, places.count == 2, configuration.claim.isEmpty,
      !nowait, !invocation.isByMount, SecretPrompt.isPossible,
      !StateFolder.knowsGroup(at: configuration.stateFolder)
    else { return configuration }
    let question = "claim code of the hub (empty if it has a master already): "
    do throws(SystemError) {
      guard let typed = try SecretPrompt.ask(question) else {
        throw SystemError(code: ECANCELED, call: "ask for the claim code")
      }
      configuration.claim = typed
    } catch { throw Ending(.failure, "\(error)") }
    return configuration
  }

  private func group() throws(Ending) -> (HubAddress?, Invite?) {
    guard places.count == 2 else { return (nil, nil) }
    guard places[0].hasPrefix(Invite.scheme) else {
      return (try parsed(places[0]) { try HubAddress(parsing: $0) }, nil)
    }
    guard let invite = Invite(link: places[0]) else {
      throw Ending(.usage, "the invite is incomplete or changed: copy the whole link")
    }
    return (nil, invite)
  }

  private func deviceName() throws(Ending) -> DeviceName? {
    guard let name else { return nil }
    guard let checked = DeviceName(name) else {
      throw Ending(
        .usage,
        "--name: 1 to \(Limits.deviceName) bytes, no control characters, no '/'")
    }
    return checked
  }

  /// Bytes of a claim code, with room for whatever a person puts between its digits.
  private static let claimLimit = 64

  private func claim(in file: String) throws(Ending) -> [UInt8] {
    guard master else { throw Ending(.usage, "--claim-file is for --master") }
    do throws(SystemError) {
      let text = try File.readAll(file == "-" ? "/dev/stdin" : file, limit: 4_096)
      let claim = text.filter { $0 > UInt8(ascii: " ") }
      if (1...Self.claimLimit).contains(claim.count) { return claim }
    } catch { throw Ending(.usage, "--claim-file: \(error)") }
    throw Ending(.usage, "--claim-file: there is no claim code in \(file)")
  }

  private func parsed<Address>(
    _ text: String, _ parse: (String) throws -> Address
  ) throws(Ending) -> Address {
    do { return try parse(text) } catch { throw Ending(.usage, "\(error)") }
  }

  private static func fail(_ ending: Ending, isByMount: Bool) -> Never {
    Startup.foreground.failed(ending)
    Glibc.exit(ExitStatus.of(ending.code, isByMount: isByMount))
  }

  /// The daemon's working directory is `/`, so relative paths are resolved first.
  private func absolute(_ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(path: current) + "/" + path
  }
}
