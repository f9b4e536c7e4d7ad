package import Control
import Core
import Logging
import Mount
import Protocol
import Sealing
import System

/// What `fsharectl` is told, and what it may ask for.
extension GroupSession {
  /// What only the program knows of itself.
  package struct Surroundings: Sendable {
    package let role: StatusReport.Role
    package let hub: String
    package let mountpoint: String
    package let ownFolder: String
    package let stateFolder: String
    package let cacheFolder: String?
    package let settings: [StatusReport.Setting]
    package let version: String
    package init(
      role: StatusReport.Role, hub: String, mountpoint: String, ownFolder: String,
      stateFolder: String, cacheFolder: String?, settings: [StatusReport.Setting], version: String
    ) {
      self.role = role
      self.hub = hub
      self.mountpoint = mountpoint
      self.ownFolder = ownFolder
      self.stateFolder = stateFolder
      self.cacheFolder = cacheFolder
      self.settings = settings
      self.version = version
    }
  }

  /// Answers one request of `fsharectl`. Any thread.
  package func answer(_ request: ControlRequest, _ around: Surroundings) -> ControlResponse {
    switch (request.command, request.arguments.count) {
    case ("status", 0): .report(status(around))
    case ("members", 0): .report(members)
    case ("approve", 1): decide(request.arguments[0], approves: true, by: request.user)
    case ("approve", 2):
      decide(
        request.arguments[0], approves: true, words: request.arguments[1], by: request.user)
    case ("disapprove", 1): decide(request.arguments[0], approves: false, by: request.user)
    case ("invite", 0): inviteAnswer(nil)
    case ("invite", 1): inviteAnswer(request.arguments[0])
    case ("name", 1): rename(request.arguments[0])
    case ("keep", 1...2): keep(path(request, around))
    case ("unkeep", 1...2): unkeep(path(request, around))
    case ("fetch", 1...2): fetch(path(request, around))
    case ("keeps", 0): .report(keeps)
    case ("keeps", 1...2): keeps(at: path(request, around))
    case ("limit", 0...2): limit(request.arguments)
    case ("pause", 0): pause(.root)
    case ("pause", 1...2): pause(path(request, around))
    case ("pause-uploads", 0): pauseUploads(true)
    case ("resume", 0): resume(.root)
    case ("resume", 1...2): resume(path(request, around))
    case ("resume-uploads", 0): pauseUploads(false)
    case ("shares", 0): .report(shares)
    case ("events", 1): eventsAnswer(after: request.arguments[0])
    case ("find", 1): find(request.arguments[0])
    case ("transfers", 0): .report(transfers(around))
    case ("why", 1...2): why(path(request, around), around)
    default: .refused("this fsharefs does not know the command '\(request.command)'")
    }
  }

  /// A path as it was typed, and the absolute path that this is where it was typed.
  private func path(_ request: ControlRequest, _ around: Surroundings) -> PathArgument {
    PathArgument(
      typed: request.arguments[0], absolute: request.arguments.dropFirst().first,
      mountpoint: around.mountpoint)
  }

  private func status(_ around: Surroundings) -> StatusReport {
    let reads = volume.reading.figures
    let uploads = volume.serving.queuedLeaves
    var report = state.withLock { state in
      let member = state.member
      let online = member.presences.filter { $0.value == .online && $0.key != member.publicID }
      return StatusReport(
        role: around.role, state: Self.shown(state), publicID: member.publicID?.value,
        name: state.deviceName.text, words: "\(KeyWords(identity.key))", hub: around.hub,
        hubConnected: state.isConnected,
        masterPresent: member.masterIsPresent, mountpoint: around.mountpoint,
        ownFolder: around.ownFolder, stateFolder: around.stateFolder,
        epoch: member.replica.order.epoch, seq: member.replica.order.seq,
        entries: member.replica.list.count, ownEntries: member.ownCount,
        pendingChanges: member.pendingChanges, membersOnline: online.count + 1,
        leafCacheBytes: reads.cached, leafCacheLimit: reads.limit, readsWaiting: reads.waiting,
        uploadsQueued: uploads, settings: around.settings, version: around.version)
    }
    report.paused = pausedForStatus
    state.withLock { state in
      report.listAge = state.member.listAge(now: MonotonicClock.now)
        .map { Int($0.components.seconds) }
      report.listFault = state.listFault
      report.restoration = Self.restorationText(state)
    }
    report.diskCacheBytes = volume.reading.diskCacheFigures?.bytes
    report.diskCacheLimit = volume.reading.diskCacheFigures?.limit
    report.uploadsPaused = volume.serving.isPaused
    report.lines = direct.addresses.count
    report.linePort = direct.port
    let limits = limits
    report.uploadLimit = limits.up
    report.downloadLimit = limits.down
    let unshared = volume.unsharedFigures
    report.notShared = unshared.occupied
    report.foldersToScan = volume.folderSync.foldersToScan
    report.setAside = unshared.setAside
    return report
  }

  private static func shown(_ state: State) -> StatusReport.State {
    if state.isLeaving { return .left }
    if state.master != nil { return state.isMasterRegistered ? .live : .connecting }
    return switch state.member.phase {
    case .disconnected: state.member.publicID == nil ? .connecting : .reconnecting
    case .registering, .synchronising: .connecting
    case .waiting: .waiting
    case .live: .live
    case .disapproved: .disapproved
    }
  }

  private var members: MembersReport {
    let found = state.withLock { state -> [(MemberReport, DeviceKey?)] in
      let member = state.member
      let known = Set(member.replica.members.keys)
        .union(state.master.map { Set($0.clients.keys) } ?? []).union([.master])
        .union(member.publicID.map { [$0] } ?? [])
      return known.sorted().map { report($0, state) }
    }
    // A waiting room of a thousand is a thousand digests: not under the lock.
    let lines = direct.addresses
    return MembersReport(
      members: found.map { report, key in
        var report = report
        report.line = lines[PublicID(report.publicID)]
        report.words = key.map { "\(KeyWords($0))" }
        return report
      })
  }

  /// What is known of one member, and its key. Call with the state's lock held.
  private func report(_ publicID: PublicID, _ state: State) -> (MemberReport, DeviceKey?) {
    let member = state.member
    let record = member.replica.members[publicID]
    let client = state.master?.clients[publicID]
    let isSelf = publicID == member.publicID
    let presence = isSelf ? .online : client?.presence ?? member.presences[publicID] ?? .gone
    let isMaster = publicID == .master
    let key =
      isSelf ? identity.key : isMaster ? provenMasterKey(state) : client?.key ?? record?.key
    var report = MemberReport(
      publicID: publicID.value,
      name: record?.name.text ?? client?.name.text
        ?? (isSelf ? state.deviceName.text : isMaster ? "master" : ""),
      system: client?.system ?? (isSelf ? system : ""),
      state: isMaster
        ? .approved
        : record.map { Self.shown($0.admission) } ?? client.map { Self.shown($0.admission) }
          ?? (isSelf ? Self.ownAdmission(member.phase) : .waiting),
      presence: Self.shown(presence), isSelf: isSelf, isMaster: isMaster,
      entries: member.replica.list.count(ownedBy: publicID),
      address: client.flatMap { $0.address.isEmpty ? nil : $0.address },
      firstSeen: client.flatMap { $0.firstSeen == 0 ? nil : $0.firstSeen })
    // The master decides about the key that the hub says, so that one is shown before any older.
    report.doubt = Self.doubtText(key, state)
    report.pathBytes = member.replica.list.pathBytes(ownedBy: publicID)
    return (report, key)
  }

  /// The hub names the master's key; it counts where it is the one that was met.
  func provenMasterKey(_ state: State) -> DeviceKey? {
    state.masterKey.flatMap { Fingerprint(of: $0) == trust.group.master ? $0 : nil }
  }

  /// What this member knows of itself while it has no list: who was put out has none.
  private static func ownAdmission(_ phase: MemberPhase) -> MemberReport.State {
    switch phase {
    case .disapproved: .disapproved
    case .synchronising, .live: .approved
    case .disconnected, .registering, .waiting: .waiting
    }
  }

  private static func shown(_ admission: Admission) -> MemberReport.State {
    switch admission {
    case .waiting: .waiting
    case .approved: .approved
    case .disapproved: .disapproved
    }
  }

  static func shown(_ presence: Presence) -> MemberReport.Presence {
    switch presence {
    case .online: .online
    case .away: .away
    case .gone: .gone
    }
  }

  /// Approves or disapproves a client. `words`: what somebody read from its screen, nil where
  /// nobody did. `user`: who decides, for the log.
  private func decide(
    _ who: String, approves: Bool, words: String? = nil, by user: UInt32?
  ) -> ControlResponse {
    guard isMaster else {
      return .refused("only the master app decides about members; ask where it runs")
    }
    let one: MemberReport
    do { one = try members.client(called: who) } catch { return .refused("\(error)") }
    let publicID = PublicID(one.publicID)
    guard let key = state.withLock({ $0.master?.clients[publicID]?.key }) else {
      return .refused("the hub does not know client \(one.publicID) now; is it connected?")
    }
    let seen = KeyWords(key)
    if let words, !seen.matches(words) {
      return .refused(
        "client \(one.publicID) (\(one.name)) has other words: its key's are '\(seen)', given "
          + "were '\(words)'; not approved: this may be somebody else")
    }
    if let failure = keepFirst(publicID, approves ? .approved : .disapproved) {
      return .refused(failure)
    }
    var isDone = false
    stepMaster { master, _, actions in
      // The number may be another device's by now.
      guard master.clients[publicID]?.key == key else { return }
      isDone =
        approves
        ? master.approve(publicID, into: &actions) : master.disapprove(publicID, into: &actions)
    }
    guard isDone else {
      return .refused("the hub does not know client \(one.publicID) now; is it connected?")
    }
    let what = "client \(one.publicID) (\(one.name))"
    log.notice(
      "\(what) was \(approves ? "approved" : "disapproved") by user \(user.map { "\($0)" } ?? "?")")
    return .done(approves ? "\(what) approved; its words: \(seen)" : "\(what) disapproved")
  }

  private func rename(_ text: String) -> ControlResponse {
    guard let name = DeviceName(text) else {
      return .refused(
        "'\(text)' cannot be a name: 1 to \(Limits.deviceName) bytes, no control characters, no '/'"
      )
    }
    state.withLock { $0.deviceName = name }
    stepMember { $0.rename(device: name, now: $1, into: &$2) }
    keepName(name)
    return .done("this device is now called '\(name)'")
  }

  /// Tells the group this device's name where its list has another one: after a start with
  /// `--name`, and of a master, whom nobody approves, the first time.
  func tellName() {
    let name = state.withLock { state -> DeviceName? in
      let member = state.member
      guard let publicID = member.publicID else { return nil }
      let known = member.replica.members[publicID]
      if known == nil, publicID != .master { return nil }
      return known?.name == state.deviceName ? nil : state.deviceName
    }
    guard let name else { return }
    stepMember { $0.rename(device: name, now: $1, into: &$2) }
  }
}
