import Glibc
import HubArguments
import Protocol
import Runtime
import System
import Transport

/// What the words of the command line mean.
extension FsharefsCommand {
  func makeConfiguration(_ invocation: Invocation) throws(Ending) -> MountConfiguration {
    guard (1...2).contains(places.count) else {
      throw Ending(.usage, "give a mountpoint, and before it the hub's address")
    }
    if mount.host && role.master {
      throw Ending(.usage, "--host is a master already: leave --master out")
    }
    if mount.host && places.count == 2 {
      throw Ending(.usage, "--host runs the hub itself: leave the hub's address out")
    }
    let mountpoint = absolute(places[places.count - 1])
    let stateFolder = try SettingPlaces.stateFolder(invocation)
    let hasOneOfItsOwn = mount.state != nil || invocation.isByMount
    let ownFolder =
      mount.own.map(absolute) ?? (hasOneOfItsOwn ? stateFolder + "/own" : XDG.data + "/own")
    let (hub, invite) = try group()
    var configuration = MountConfiguration(
      role: mount.host ? .host : role.master ? .master : .client, hub: hub,
      mountpoint: mountpoint,
      listen: try parsed(role.listen) { try ListenAddress(parsing: $0) }, ownFolder: ownFolder,
      stateFolder: stateFolder, name: try deviceName(),
      waiting: mount.nowait ? .nothing : .list(orMaster: invocation.isByMount),
      isForeground: mount.foreground, isVerbose: mount.verbose)
    if let claimFile = role.claimFile { configuration.claim = try claim(in: claimFile) }
    configuration.invite = invite
    configuration.isInsecure = role.insecure
    configuration.tlsBulk = role.bulkTls
    configuration.direct = try direct()
    if let metrics = role.metrics {
      configuration.metrics = try parsed(metrics) { try ListenAddress(parsingProbe: $0) }
    }
    if let listen = role.windowListen {
      configuration.windowListen = try parsed(listen) { try ListenAddress(parsing: $0) }
    }
    if let file = role.windowCert {
      guard role.windowListen != nil else {
        throw Ending(
          .usage, "--window-cert is for guests: say where they come to (--window-listen)")
      }
      configuration.windowCertificate = absolute(file)
    }
    if let hub { try configuration.check(hub) }
    try configuration.apply(options: mount.options)
    configuration.take(invocation)
    try configuration.setCache(folder: mount.cache.map(absolute), size: mount.cacheSize)
    try hubOptions.apply(to: &configuration.hubSettings)
    try listOptions.apply(to: &configuration)
    if role.insecure { configuration.hubSettings.plain = .everyone }
    if SettingPlaces.keeps(invocation) {
      configuration.optionsToKeep = invocation.kept(absolute)
    }
    return configuration
  }

  /// What is needed before the command goes into the background: a state folder that is fit for
  /// secrets, and the secret that only a person can give.
  func completed(
    _ made: MountConfiguration, _ invocation: Invocation
  ) throws(Ending) -> MountConfiguration {
    var configuration = made
    try StateFolder.prepare(configuration.stateFolder)
    guard configuration.role == .master, places.count == 2, configuration.claim.isEmpty,
      !mount.nowait, !invocation.isByMount, SecretPrompt.isPossible,
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
      if let host = Self.hostOfCopyAddress(places[0]) {
        throw Ending(
          .usage,
          "this is not sshfs: of '\(places[0])' give the host alone, HOST[:PORT], as in '\(host)'")
      }
      return (try parsed(places[0]) { try HubAddress(parsing: $0) }, nil)
    }
    guard let invite = Invite(link: places[0]) else {
      throw Ending(.usage, "the invite is incomplete or changed: copy the whole link")
    }
    return (nil, invite)
  }

  /// The host in `user@host:/path` and the like, which scp and sshfs take; nil for anything else.
  private static func hostOfCopyAddress(_ text: String) -> String? {
    if text.contains("//") { return nil }
    let host = text.split(separator: "@", maxSplits: 1).last.map(String.init) ?? text
    let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let isPath = parts.count > 1 && UInt16(parts[1]) == nil && !host.hasPrefix("[")
    return text.contains("@") || isPath && parts[1].contains("/") ? String(parts[0]) : nil
  }

  private func direct() throws(Ending) -> DirectSettings {
    guard ["auto", "off"].contains(role.direct) else {
      throw Ending(.usage, "--direct \(role.direct): auto, or off")
    }
    var settings = DirectSettings()
    settings.isOn = role.direct == "auto"
    if let listen = role.directListen {
      settings.listen = try parsed(listen) { try ListenAddress(parsing: $0) }
    }
    return settings
  }

  private func deviceName() throws(Ending) -> DeviceName? {
    guard let name = mount.name else { return nil }
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
    guard role.master else { throw Ending(.usage, "--claim-file is for --master") }
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

  /// The daemon's working directory is `/`, so relative paths are resolved first.
  private func absolute(_ path: String) -> String { File.absolute(path) }
}
