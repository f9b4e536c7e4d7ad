package import Control
package import Core
package import Mount
package import Protocol
import System
import Transport

/// Everything that the command line of `fsharefs` decides.
package struct MountConfiguration: Sendable {
  package enum Role: Sendable, Equatable {
    case client
    case master
    /// Hub, master and mount in one process.
    case host
  }

  /// What is waited for before the mount is there.
  package enum Waiting: Sendable, Equatable {
    /// Nothing: it connects for ever.
    case nothing
    /// The list; `orMaster`: or that it is a person's turn, who may be away.
    case list(orMaster: Bool)
    /// The same, but for a moment only; then it connects for ever.
    case briefly

    /// Whether the mount is there although the master has not decided.
    var endsAtMaster: Bool {
      switch self {
      case .list(let orMaster): orMaster
      case .nothing, .briefly: true
      }
    }
  }

  /// Whom others' files are said to belong to.
  package enum OthersOwner: String, Sendable {
    /// Nobody here: programs see that they can only be read.
    case nobody
    /// Whoever mounted.
    case mounter = "self"
  }

  package var role: Role
  package var hub: HubAddress?
  /// The link that was given in place of the hub's address.
  package var invite: Invite?
  /// The hub's one-time claim code, for a master that it does not know yet. Secret.
  package var claim: [UInt8] = []
  /// Whether control connections without TLS are made to, and with a hub in this process taken
  /// from, other machines.
  package var isInsecure = false
  /// Whether the bulk streams, which carry sealed leaves, run over TLS too.
  package var tlsBulk = false
  /// Lines to other members.
  package var direct = DirectSettings()
  package var mountpoint: String
  package var listen: ListenAddress
  package var ownFolder: String
  package var stateFolder: String
  package var name: DeviceName?
  package var waiting: Waiting
  package var isForeground: Bool
  package var isVerbose: Bool
  /// What the kernel is told of the mount.
  package var mount = KernelMount()
  /// Whom others' files are said to belong to.
  package private(set) var othersOwner = OthersOwner.nobody
  /// How long an earlier process may go on holding the folders: `umount` and `fsharectl leave`
  /// return when the mount is gone, and whoever starts it again may follow at once.
  package private(set) var lockPatience: Duration = .seconds(2)
  /// Whether the system starts without it: `nofail`.
  package var mayFail = false
  /// Where the program says how it does; nil: nowhere.
  package var metrics: ListenAddress?
  /// Where guests come to; nil: nowhere.
  package var windowListen: ListenAddress?
  /// The file of the key and certificate that guests see; nil: one of its own.
  package var windowCertificate: String?
  package var closesAsync = false
  /// Whether what is copied in while nobody can answer is kept, and shared later.
  package private(set) var keepsOffline = false
  package var readTimeout: Duration = .seconds(30)
  package var ackTimeout: Duration = .seconds(30)
  /// MiB of memory for what is read of others' files.
  package var memory = 256
  /// How fast the bulk streams may be.
  package private(set) var rates = LimitsReport(up: nil, down: nil)
  /// Open files that are fetched ahead at a time.
  package var maxFiles = 32
  /// The folder of the disk cache; nil: none.
  package var cacheFolder: String?
  /// MiB that the disk cache may hold.
  package var cacheSize = 10_240
  package var hubSettings = HubRuntime.Settings()
  /// How much the master takes of each member.
  package var listLimits = ListLimits()
  /// Where each setting comes from that is not as it is by default, by name.
  package var sources: [String: StatusReport.Setting.Source] = [:]
  /// What is kept for the next start once the mount is there; nil: what was kept stays.
  package var optionsToKeep: [SaidSetting]?

  package init(
    role: Role, hub: HubAddress?, mountpoint: String, listen: ListenAddress, ownFolder: String,
    stateFolder: String, name: DeviceName?, waiting: Waiting, isForeground: Bool, isVerbose: Bool
  ) {
    self.role = role
    self.hub = hub
    self.mountpoint = mountpoint
    self.listen = listen
    self.ownFolder = ownFolder
    self.stateFolder = stateFolder
    self.name = name
    self.waiting = waiting
    self.isForeground = isForeground
    self.isVerbose = isVerbose
  }

  /// Whether what fails before the mount is there ends the start.
  package var failsAtStart: Bool {
    if case .list = waiting { true } else { false }
  }

  /// Applies what `-o` says: each a line of options that `MountOption` has as settings. Throws: an
  /// ending with code 64 for a value that cannot be.
  package mutating func apply(options: [String]) throws(Ending) {
    for option in options.flatMap(OptionWords.split) {
      let (known, value) = try MountOption.found(option)
      try apply(known.name, value ?? "")
    }
    try FuseConfiguration.check(mount.access)
    mount.shown.nobody = othersOwner == .nobody ? Users.nobody : nil
  }

  private mutating func apply(_ name: String, _ value: String) throws(Ending) {
    switch name {
    case "allow_other": try open(to: .everyone)
    case "allow_root": try open(to: .root)
    case "async_close": closesAsync = true
    case "offline":
      guard ["keep", "fail"].contains(value) else {
        throw Ending(.usage, "-o offline=\(value): keep, or fail, as it is without it")
      }
      keepsOffline = value == "keep"
    case "auto_unmount": mount.unmountsItself = true
    case "nofail": mayFail = true
    case "fsname": mount.source = value
    case "timeout": readTimeout = try Self.seconds(name, value)
    case "ack_timeout": ackTimeout = try Self.seconds(name, value)
    case "memory": memory = try Self.number(name, value, 8...1_048_576)
    case "up": rates.up = try Self.rate(name, value)
    case "down": rates.down = try Self.rate(name, value)
    case "max_files": maxFiles = try Self.number(name, value, 1...65_536)
    case "uid":
      mount.shown.user = try Self.known(Users.user(value), "-o uid=\(value): no such user")
    case "gid":
      mount.shown.group = try Self.known(Users.group(value), "-o gid=\(value): no such group")
    case "umask":
      let mask = UInt32(value, radix: 8).flatMap { $0 <= 0o777 ? $0 : nil }
      mount.shown.umask = try Self.known(mask, "-o umask=\(value): octal digits, 0 to 777")
    case "owners":
      guard let owners = OthersOwner(rawValue: value) else {
        throw Ending(.usage, "-o owners=\(value): self, or nobody, as it is without it")
      }
      othersOwner = owners
    default: preconditionFailure("what the table calls a setting is applied here")
    }
  }

  /// Takes what mount(8) said beside the settings, and what is for the kernel.
  package mutating func take(_ invocation: Invocation) {
    if invocation.isByMount { lockPatience = .seconds(10) }
    mount.flags = invocation.kernelFlags
    sources = invocation.sources
    // mount(8) and systemd know a line of fstab again by what it calls the source.
    if mount.source.isEmpty, let source = invocation.source { mount.source = source }
    if mayFail, waiting != .nothing { waiting = .briefly }
  }

  private mutating func open(to access: KernelMount.Access) throws(Ending) {
    guard mount.access == .mounter || mount.access == access else {
      throw Ending(.usage, "-o allow_other and -o allow_root: only one of them can be")
    }
    mount.access = access
  }

  private static func known(_ number: UInt32?, _ complaint: String) throws(Ending) -> UInt32 {
    guard let number else { throw Ending(.usage, complaint) }
    return number
  }

  /// Takes the folder of the disk cache and its size in MiB. Throws: an ending with code 64 for
  /// what makes no sense.
  package mutating func setCache(folder: String?, size: Int?) throws(Ending) {
    cacheFolder = folder
    guard let size else { return }
    guard folder != nil else {
      throw Ending(.usage, "--cache-size is for a disk cache: give its folder with --cache")
    }
    // The smallest holds some segments of leaves.
    let range = 64...1_073_741_824
    guard range.contains(size) else {
      throw Ending(
        .usage,
        "--cache-size \(size): a whole number of MiB from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    cacheSize = size
  }

  /// Throws: an ending with code 64 where the control plane would cross the network in the clear
  /// and that was not asked for.
  package func check(_ address: HubAddress) throws(Ending) {
    guard !address.secure, !isInsecure, !Loopback.contains(address.host) else { return }
    throw Ending(
      .usage,
      "ws://\(address) goes over the network without TLS: leave ws:// out, or say --insecure")
  }

  private static func seconds(_ name: String, _ value: String) throws(Ending) -> Duration {
    guard let seconds = Int64(value), (1...86_400).contains(seconds) else {
      throw Ending(.usage, "-o \(name)=\(value): a whole number of seconds from 1 to 86400")
    }
    return .seconds(seconds)
  }

  private static func rate(_ name: String, _ value: String) throws(Ending) -> UInt64? {
    do throws(ByteRate.Fault) {
      return try ByteRate.parse(value, lowest: BulkRates.lowest)
    } catch { throw Ending(.usage, "-o \(name): \(error)") }
  }

  private static func number(
    _ name: String, _ value: String, _ range: ClosedRange<Int>
  ) throws(Ending) -> Int {
    guard let number = Int(value), range.contains(number) else {
      throw Ending(
        .usage,
        "-o \(name)=\(value): a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Bytes of leaves in memory: what was asked for, but no more than half of what the cgroup
  /// allows.
  package var memoryBudget: Int {
    min(memory << 20, MemoryLimit.ofControlGroup.map { Int(clamping: $0 / 2) } ?? .max)
  }

  /// Names of the settings that no file can change while the program runs.
  package var fixed: Set<String> {
    Set(sources.filter { [.option, .environment, .kept].contains($0.value) }.keys)
  }

  /// The settings in force, with where each comes from.
  package var settings: [StatusReport.Setting] {
    func setting(_ name: String, _ value: String) -> StatusReport.Setting {
      StatusReport.Setting(
        name: name, value: value, source: sources[name] ?? .default)
    }
    let role =
      switch self.role {
      case .client: "client"
      case .master: "master"
      case .host: "host"
      }
    return [
      StatusReport.Setting(
        name: "role", value: role, source: sources[role] ?? .default),
      setting("listen", self.role == .host ? "\(listen)" : "no hub here"),
      setting("own", ownFolder),
      setting("state", stateFolder),
      setting("name", name?.text ?? "the last one, else the machine's"),
      setting("timeout", "\(readTimeout.components.seconds)"),
      setting("ack_timeout", "\(ackTimeout.components.seconds)"),
      setting("memory", "\(memoryBudget >> 20)"),
      setting("max_files", "\(maxFiles)"),
      setting("up", ByteRate.text(rates.up)), setting("down", ByteRate.text(rates.down)),
      setting("cache", cacheFolder ?? "none"),
      setting("cache-size", "\(cacheSize)"),
      setting("async_close", closesAsync ? "yes" : "no"),
      setting("offline", keepsOffline ? "keep" : "fail"),
      setting("allow_other", mount.access == .everyone ? "yes" : "no"),
      setting("allow_root", mount.access == .root ? "yes" : "no"),
      setting("ro", mount.flags.contains("ro") ? "yes" : "no"),
      setting("uid", mount.shown.user.map { "\($0)" } ?? "its own"),
      setting("gid", mount.shown.group.map { "\($0)" } ?? "its own"),
      setting("umask", mount.shown.umask.map { String($0, radix: 8) } ?? "its own"),
      setting("owners", othersOwner.rawValue),
      setting("auto_unmount", mount.unmountsItself ? "yes" : "no"),
      setting("metrics", metrics.map { "\($0)" } ?? "none"),
      setting("window-listen", windowListen.map { "\($0)" } ?? "nowhere"),
      setting("window-cert", windowCertificate ?? "its own"),
      setting("insecure", isInsecure ? "yes" : "no"),
      setting("bulk-tls", tlsBulk ? "yes" : "no"),
      setting("direct", direct.isOn ? "auto" : "off"),
      setting("direct-listen", direct.isOn ? "\(direct.listen)" : "nowhere"),
      setting("grace", "\(hubSettings.hub.grace.components.seconds)"),
      setting("chunk-seconds", "\(hubSettings.hub.relay.lifetime.components.seconds)"),
      setting("chunk-cache", "\(hubSettings.hub.relay.cacheLimit >> 20)"),
      setting("max-connections", "\(hubSettings.transport.connections)"),
      setting("max-waiting", "\(hubSettings.hub.waitingLimit)"),
      setting("max-queue", "\(hubSettings.transport.controlQueueBytes >> 20)"),
      setting("max-requests", "\(hubSettings.hub.relay.wantedLimit)"),
      setting("max-rate", "\(hubSettings.transport.messagesPerSecond)"),
      setting("max-changes", "\(hubSettings.hub.forwarding.changesPerSecond)"),
      setting("max-questions", "\(hubSettings.hub.forwarding.questionsPerSecond)"),
      setting("tag-frames", hubSettings.tagsAll ? "yes" : "no"),
      setting("member-entries", "\(listLimits.memberEntries)"),
      setting("member-paths", "\(listLimits.memberPathBytes >> 20)"),
      setting("max-depth", "\(listLimits.depth)"),
      setting("handshake-seconds", "\(hubSettings.hub.handshake.components.seconds)"),
    ]
  }
}
