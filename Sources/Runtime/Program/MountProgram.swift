import Control
import Core
import Glibc
package import Logging
import Mount
import Protocol
import Sealing
import State
package import System
import Transport
import Window

/// `fsharefs` from its start to its end: hub (where it hosts one), group, mount, control socket.
package final class MountProgram: Sendable {
  let configuration: MountConfiguration
  let startup: Startup
  let log: Logger
  private let gate = StartGate()
  let fuse = Locked<FuseSession?>(nil)
  private let group = Locked<GroupSession?>(nil)
  let notifier = ServiceNotifier()
  private let news: LogBudget
  let threshold: LogThreshold
  let hub = Locked<HubRuntime?>(nil)
  let mountWatch = MountWatch()
  let window: WindowProcess
  let reloading: Reloading

  /// `threshold`: from which level on all loggers write.
  package init(
    configuration: MountConfiguration, startup: Startup, threshold: LogThreshold, log: Logger
  ) {
    self.threshold = threshold
    self.configuration = configuration
    self.startup = startup
    self.log = log
    news = LogBudget(log)
    window = WindowProcess(
      WindowProgram.Settings(
        stateFolder: configuration.stateFolder, mountpoint: configuration.mountpoint,
        listen: configuration.windowListen.map { "\($0)" },
        certificate: configuration.windowCertificate),
      log: log)
    reloading = Reloading(log: log, logFile: startup.logFile, notifier: notifier)
  }

  /// Runs to the end. Returns: the exit code; why, if it failed, was said.
  package func run() -> ExitCode {
    do {
      try runThrowing()
      return .success
    } catch let ending as Ending {
      startup.failed(ending)
      return ending.code
    } catch {
      startup.failed(Ending(.failure, "\(error)"))
      return .failure
    }
  }

  private func runThrowing() throws {
    let mountpoint = try Mountpoint.check(
      configuration.mountpoint,
      apartFrom: [configuration.stateFolder, configuration.ownFolder]
        + (configuration.cacheFolder.map { [$0] } ?? []))
    let state = try StateFolder(
      path: configuration.stateFolder, log: log, patience: configuration.lockPatience)
    let (folder, index) = try openOwnFolder(state)
    let ownLock = try lockOwnFolder(folder)
    defer { withExtendedLifetime((state, ownLock)) {} }
    let signals = try SignalWatcher(waiter: startup.waiter { [self] in endRequested() }) {
      [self] number in number == SIGHUP ? reloadRequested() : endRequested()
    }
    defer { signals.stop() }
    let metrics = configuration.metrics.map { ($0, OperatorPort.beginCounting()) }
    let hub = try startHub(state, try readSettings())
    self.hub.withLock { $0 = hub }
    defer { hub?.stop() }
    let trust = GroupTrust(
      try knownGroup(hub, state), file: state.groupFile,
      keep: { (group) throws(Ending) in try state.keep(group) })
    let group = try makeGroup(state, trust)
    let cache = try makeCache(state)
    let volume = try makeVolume(folder, try loaded(index), group, state, cache)
    self.group.withLock { $0 = group }
    group.bind(
      volume, hubHost: hub.map { _ in configuration.listen.host }, keepsFile: state.keepsFile)
    group.limit(configuration.rates)
    try volume.shareOwnFolder()
    try volume.folderSync.startWatching()
    let control = startControl(group, trust.group.address, mountpoint)
    defer { control?.stop() }
    defer { window.stop() }
    gate.join()
    try group.start()
    let watch = try startWatch(group, hub, always: metrics != nil)
    defer { watch?.stop() }
    let port = try metrics.map { address, metrics in
      try showStatus(at: address, metrics, group, hub, watch)
    }
    defer { port?.stop() }
    defer {
      notifier.stopping()
      group.leave()
      volume.stop()
    }
    if configuration.waiting != .nothing, !(try waitUntilReady(group)) { return }
    try state.keep(trust.group)
    try serve(volume, mountpoint, source: "//\(trust.group.address)/fsharefs") { keepOptions() }
    if let ending = gate.ending { throw ending }
  }

  /// `source`: what shows as the source where nobody has named one: two slashes make it a network
  /// drive for KDE, the colon for `df -l`.
  private func serve(
    _ volume: Volume, _ mountpoint: String, source: String, mounted: () -> Void
  ) throws {
    let session: FuseSession
    var mount = configuration.mount
    if mount.source.isEmpty { mount.source = source }
    do throws(SystemError) {
      session = try volume.mount(on: mountpoint, mount, log: log)
    } catch {
      let log =
        startup.logFile == nil ? "" : "; the reason is in \(configuration.stateFolder)/log"
      throw Ending(.mountpoint, "\(error)\(log)")
    }
    fuse.withLock { $0 = session }
    mounted()
    // A signal may have come while there was no session yet to end.
    if !startup.succeeded() || gate.isEnding { _ = session.unmount() }
    notifier.ready()
    window.startForGuests()
    session.serve()
    window.stop()
    fuse.withLock { $0 = nil }
    session.end()
  }

  /// The options have led to a mount: the next start takes them where it is told nothing else.
  private func keepOptions() {
    let folder = configuration.stateFolder
    guard let options = configuration.optionsToKeep else { return }
    if (try? KeptOptions.read(in: folder)) == options { return }
    do throws(SystemError) { try KeptOptions.write(options, in: folder) } catch {
      log.warning("the options are not kept for the next start: \(error)")
    }
  }

  /// Waits for a list worth mounting. Returns: false where a signal ended the wait.
  private func waitUntilReady(_ group: GroupSession) throws(Ending) -> Bool {
    let limit: Duration? = configuration.waiting == .briefly ? StartGate.patience : nil
    switch gate.wait(atMost: limit) {
    case .ready: return true
    case .ended: return false
    case .failed(let ending): throw ending
    }
  }

  /// SIGTERM and friends, or the end of the command that waits; on the signal thread, which never
  /// waits here: the network is left at once, even where programs still hold files of the mount. A
  /// second one waits for nothing, and neither does one that comes while the start is still busy
  /// with its own disk, whatever that takes.
  func endRequested() {
    guard gate.end() else { _exit(ExitCode.success.rawValue) }
    guard let session = fuse.withLock({ $0 }) else { return }
    // Both may take a while: fusermount3 has to run, and the group to answer.
    let ending = try? Thread.start(name: "ending") { [self] in
      window.stop()
      if !session.unmount() { group.withLock { $0 }?.leave() }
    }
    if ending == nil { _exit(ExitCode.failure.rawValue) }
  }

  /// To whoever waits for the start; afterwards to the log, which a hub that comes and goes must
  /// not fill.
  private func tell(_ line: String) {
    let isWaitedFor = configuration.waiting != .nothing && !gate.isDecided
    if startup.isAwaitedByCommand || isWaitedFor || gate.ending != nil {
      startup.say(line)
    } else {
      news.log(.notice, "news of the group", "\(line)")
    }
  }

  /// What the group says goes to the user, to systemd, and to whoever waits for the start.
  private func heard(_ event: GroupEvent, _ words: KeyWords) {
    if let line = gate.heard(event, waits: configuration.failsAtStart, words: words) {
      tell(line)
      notifier.status(line)
    }
    if case .phase(.waiting, _) = event, !gate.isDecided, configuration.waiting.endsAtMaster {
      tell(
        "mounted meanwhile, for who decides may be away: until then listing gives 'Host is down'")
      gate.goOn()
    }
    if gate.ending != nil { _ = fuse.withLock { $0 }?.unmount() }
  }
}

// MARK: - The parts

extension MountProgram {
  /// The index is long, and nobody needs it before the folder is looked at: it is read meanwhile.
  private func openOwnFolder(
    _ state: StateFolder
  ) throws(Ending) -> (OwnFolder, Background<OwnIndex>) {
    do {
      let path = "\(state.path)/\(StateKind.index.rawValue)"
      let index = try Background(name: "index") { [log] in
        let index = try OwnIndex(path: path)
        if let remark = index.remark { log.warning("\(remark)") }
        return index
      }
      return (
        try OwnFolder(
          path: configuration.ownFolder, placesFile: "\(state.path)/\(StateKind.shares.rawValue)"),
        index
      )
    } catch { throw Ending(.folder, "\(error)") }
  }

  private func loaded(_ index: Background<OwnIndex>) throws(Ending) -> OwnIndex {
    do { return try index.value() } catch { throw Ending(.folder, "\(error)") }
  }

  private func lockOwnFolder(_ folder: OwnFolder) throws(Ending) -> OwnedDescriptor {
    do throws(SystemError) {
      return try Release.wait(atMost: configuration.lockPatience) { () throws(SystemError) in
        try folder.lock()
      }
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the own folder \(folder.path) is in use by another fsharefs" : "\(error)")
    }
  }

  private func startHub(_ state: StateFolder, _ file: ReloadableSettings) throws -> HubRuntime? {
    guard configuration.role == .host else { return nil }
    let settings = try file.settings(configuration.hubSettings, given: configuration.fixed)
    let hub: HubRuntime
    do {
      hub = try HubRuntime(
        listen: configuration.listen, stateFolder: configuration.stateFolder + "/hub",
        settings: settings, master: try state.identity().key, log: log)
    } catch let error as SystemError {
      throw Ending(listeningOn: configuration.listen, failed: error)
    }
    try hub.start()
    startup.say("hub listens on \(ListenAddress(host: configuration.listen.host, port: hub.port))")
    return hub
  }

  private func knownGroup(_ hub: HubRuntime?, _ state: StateFolder) throws -> KnownGroup {
    if let hub {
      let host = configuration.listen.host
      let local = ["", "0.0.0.0"].contains(host) ? "127.0.0.1" : host == "::" ? "::1" : host
      // On one's own machine TLS would hide nothing from anybody.
      let address = try HubAddress(
        host: local, port: hub.port, secure: !Loopback.contains(local))
      return KnownGroup(
        address: address, hub: hub.fingerprint,
        master: Fingerprint(of: try state.identity().key))
    }
    var group = try KnownGroup.joining(
      configuration.hub, configuration.invite, kept: try state.knownGroup(), file: state.groupFile)
    try configuration.check(group.address)
    if configuration.role == .master { group.master = Fingerprint(of: try state.identity().key) }
    return group
  }

  private func makeGroup(_ state: StateFolder, _ trust: GroupTrust) throws -> GroupSession {
    let identity = try state.identity()
    let master =
      configuration.role == .client
      ? nil
      : try Ending.rethrowing { () throws(StateFault) in
        var settings = Master.Settings()
        settings.limits = configuration.listLimits
        return try MasterParts(folder: state.path, settings: settings, signer: identity.signer)
      }
    if let remark = master?.remark {
      startup.say(remark)
      log.warning("\(remark)")
    }
    let keeper =
      configuration.role == .client
      ? ListKeeper(path: state.listFile, secret: try state.listSecret(), log: log) : nil
    let words = KeyWords(identity.key)
    return GroupSession(
      identity: identity, incarnation: try state.nextIncarnation(),
      name: try state.deviceName(given: configuration.name),
      system: SystemName.current, master: master, keeper: keeper, trust: trust,
      tlsBulk: configuration.tlsBulk, direct: configuration.direct, claim: configuration.claim,
      log: log,
      keepName: { state.keep($0) }, report: { [self] in heard($0, words) })
  }

  private func makeCache(_ state: StateFolder) throws(Ending) -> DiskCache? {
    guard let path = configuration.cacheFolder else { return nil }
    return try CacheStart.open(
      path, size: configuration.cacheSize << 20, ownFolder: configuration.ownFolder, state, log)
  }

  private func makeVolume(
    _ folder: OwnFolder, _ index: OwnIndex, _ group: GroupSession, _ state: StateFolder,
    _ cache: DiskCache?
  ) throws -> Volume {
    var settings = Volume.Settings()
    if try !state.hasSaidPrivate() { settings.saidPrivate = { state.keepSaidPrivate() } }
    settings.ackTimeout = configuration.ackTimeout
    settings.closesAsync = configuration.closesAsync
    settings.keepsOffline = configuration.keepsOffline
    settings.shown = configuration.mount.shown
    settings.fetcher.timeout = configuration.readTimeout
    settings.fetcher.budget = configuration.memoryBudget
    settings.fetcher.aheadLimit = configuration.maxFiles
    settings.fetcher.heldLimit = Int(FuseSession.maxBackground) / 2
    return try Volume(
      folder: folder, index: index, group: group, sealer: group.sealer, settings: settings,
      log: log,
      numberKey: try state.numberKey(), diskCache: cache, kept: try state.keptPaths())
  }

  private func startControl(
    _ group: GroupSession, _ hub: HubAddress, _ mountpoint: String
  ) -> ControlServer? {
    let role: StatusReport.Role =
      switch configuration.role {
      case .client: .client
      case .master: .master
      case .host: .host
      }
    let around = GroupSession.Surroundings(
      role: role, hub: "\(hub)", mountpoint: mountpoint, ownFolder: configuration.ownFolder,
      stateFolder: configuration.stateFolder, cacheFolder: configuration.cacheFolder,
      settings: configuration.settings, version: ProgramVersion.text)
    let record = RunningRecord(
      role: RunningRecord.Role(role), pid: getpid(), stateFolder: configuration.stateFolder,
      mountpoint: mountpoint)
    let server = ControlServer(
      stateFolder: configuration.stateFolder, record: record, log: log,
      handler: { [self] request, reply in
        if WindowProcess.commands.contains(request.command) {
          window.answer(request, reply)
        } else if !leave(request, reply) {
          group.answer(request, around, reply)
        }
      })
    do {
      try server.start()
      return server
    } catch {
      log.error("fsharectl will not work: \(error)")
      return nil
    }
  }
}
