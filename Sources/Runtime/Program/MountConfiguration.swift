package import Control
package import Core
package import Protocol
import System
package import Transport

/// Everything that the command line of `fsharefs` decides.
package struct MountConfiguration: Sendable {
  package enum Role: Sendable, Equatable {
    case client
    case master
    /// Hub, master and mount in one process.
    case host
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
  package var mountpoint: String
  package var listen: ListenAddress
  package var ownFolder: String
  package var stateFolder: String
  package var name: DeviceName?
  package var waits: Bool
  package var isForeground: Bool
  package var isVerbose: Bool
  /// Where the program says how it does; nil: nowhere.
  package var metrics: ListenAddress?
  package var allowOther = false
  package var closesAsync = false
  package var readTimeout: Duration = .seconds(30)
  package var ackTimeout: Duration = .seconds(30)
  /// MiB of memory for what is read of others' files.
  package var memory = 256
  /// Open files that are fetched ahead at a time.
  package var maxFiles = 32
  /// The folder of the disk cache; nil: none.
  package var cacheFolder: String?
  /// MiB that the disk cache may hold.
  package var cacheSize = 10_240
  package var hubSettings = HubRuntime.Settings()
  /// How much the master takes of each member.
  package var listLimits = ListLimits()
  /// Names of settings that were given, not defaults.
  package var given: Set<String> = []

  package init(
    role: Role, hub: HubAddress?, mountpoint: String, listen: ListenAddress, ownFolder: String,
    stateFolder: String, name: DeviceName?, waits: Bool, isForeground: Bool, isVerbose: Bool
  ) {
    self.role = role
    self.hub = hub
    self.mountpoint = mountpoint
    self.listen = listen
    self.ownFolder = ownFolder
    self.stateFolder = stateFolder
    self.name = name
    self.waits = waits
    self.isForeground = isForeground
    self.isVerbose = isVerbose
  }

  /// Applies what `-o` says. Throws: an ending with code 64 for what it does not know.
  package mutating func apply(options: [String]) throws(Ending) {
    for option in options.flatMap({ $0.split(separator: ",") }) {
      let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let value = parts.count > 1 ? String(parts[1]) : nil
      given.insert(name)
      switch (name, value) {
      case ("allow_other", nil): allowOther = true
      case ("async_close", nil): closesAsync = true
      case ("timeout", let value?): readTimeout = try Self.seconds(name, value)
      case ("ack_timeout", let value?): ackTimeout = try Self.seconds(name, value)
      case ("memory", let value?): memory = try Self.number(name, value, 8...1_048_576)
      case ("max_files", let value?): maxFiles = try Self.number(name, value, 1...65_536)
      default:
        throw Ending(
          .usage,
          "unknown option '-o \(option)'; known: timeout=SECONDS, ack_timeout=SECONDS, memory=MIB, max_files=NUMBER, async_close, allow_other"
        )
      }
    }
  }

  /// Takes the folder of the disk cache and its size in MiB. Throws: an ending with code 64 for
  /// what makes no sense.
  package mutating func setCache(folder: String?, size: Int?) throws(Ending) {
    cacheFolder = folder
    if folder != nil { given.insert("cache") }
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
    given.insert("cache-size")
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

  /// The settings in force, with where each comes from.
  package var settings: [StatusReport.Setting] {
    func setting(_ name: String, _ value: String) -> StatusReport.Setting {
      StatusReport.Setting(
        name: name, value: value, source: given.contains(name) ? .option : .default)
    }
    return [
      setting("timeout", "\(readTimeout.components.seconds)"),
      setting("ack_timeout", "\(ackTimeout.components.seconds)"),
      setting("memory", "\(memoryBudget >> 20)"),
      setting("max_files", "\(maxFiles)"),
      setting("cache", cacheFolder ?? "none"),
      setting("cache-size", "\(cacheSize)"),
      setting("async_close", closesAsync ? "yes" : "no"),
      setting("allow_other", allowOther ? "yes" : "no"),
      setting("metrics", metrics.map { "\($0)" } ?? "none"),
      setting("insecure", isInsecure ? "yes" : "no"),
      setting("bulk-tls", tlsBulk ? "yes" : "no"),
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
