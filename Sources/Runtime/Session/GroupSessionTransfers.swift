import Control
import Core
import Mount
import Protocol
import System

/// `fsharectl transfers` and `why`.
extension GroupSession {
  /// What is being read and uploaded now.
  func transfers(_ around: Surroundings) -> TransfersReport {
    let lines = direct.addresses.count
    let hub = "through the hub at \(around.hub)"
    let figures = volume.transfers
    let names = self.names(of: Set(figures.map(\.owner)))
    let all = figures.map { one in
      TransfersReport.Transfer(
        direction: one.isUpload ? .uploading : .reading, state: Self.state(one),
        path: one.path.map(Self.shown) ?? "(no longer shared)", owner: names[one.owner] ?? "",
        ownerID: one.owner.value, reader: one.isUpload ? "the group" : "this member",
        bytes: one.bytes, size: one.size, rate: UInt64(max(0, one.rate)),
        route: one.isUpload ? Self.route(one.ways) : direct.route(of: one.version))
    }
    return TransfersReport(
      route: lines == 0
        ? hub : "directly where there is a line (members with one: \(lines)), else \(hub)",
      transfers: all.sorted { ($0.direction.rawValue, $0.path) < ($1.direction.rawValue, $1.path) })
  }

  private static func route(_ ways: TransferFigures.Ways) -> String {
    switch (ways.hasDirect, ways.hasHub) {
    case (true, true): "direct, and through the hub"
    case (true, false): "direct"
    case (false, _): "through the hub"
    }
  }

  private static func state(_ figures: TransferFigures) -> TransfersReport.Transfer.State {
    if figures.isPaused { return .paused }
    if figures.isOwnerLost { return .ownerAway }
    return figures.rate > 0 ? .moving : .waiting
  }

  /// Where a path is, what it waits for, what limits it.
  func why(_ argument: PathArgument, _ around: Surroundings) -> ControlResponse {
    switch argument {
    case .invalid(let reason): return .refused(reason)
    case .root: return .refused("the whole share has no one answer: name a file or a folder in it")
    case .path(let path):
      let unshared = unshared(at: path)
      if let facts = volume.facts(of: path), !facts.isOccupied, facts.own?.isIgnored != true {
        var report = report(path, facts, around)
        report.unshared = unshared
        return .report(report)
      }
      guard let unshared else {
        return .refused("there is no '\(Self.shown(path))' in the share")
      }
      return .report(report(path, unshared, around))
    }
  }

  /// What of one's own is not shared at a path, or is kept for it.
  private func unshared(at path: SharePath) -> WhyReport.Unshared? {
    if let found = volume.notShared(at: path) {
      return WhyReport.Unshared(
        path: Self.shown(found.path), reason: found.reason.words, keptAs: nil)
    }
    if let match = volume.ignored(at: path) {
      return WhyReport.Unshared(path: Self.shown(path), reason: match.words, keptAs: nil)
    }
    return volume.setAside(at: path).map { aside in
      WhyReport.Unshared(path: Self.shown(path), reason: aside.file.words, keptAs: aside.lies)
    }
  }

  private func report(
    _ path: SharePath, _ unshared: WhyReport.Unshared, _ around: Surroundings
  ) -> WhyReport {
    state.withLock { state in
      var report = WhyReport(
        path: Self.shown(path), kind: .file, owner: state.deviceName.text,
        ownerID: state.member.publicID?.value, size: 0, version: "", hub: around.hub,
        hubConnected: state.isConnected, masterPresent: state.member.masterIsPresent,
        remote: nil, own: nil)
      report.unshared = unshared
      return report
    }
  }

  private func report(
    _ path: SharePath, _ facts: PathDiagnostics, _ around: Surroundings
  ) -> WhyReport {
    let owner = facts.owner
    let names = self.names(of: Set(facts.others + (owner.map { [$0] } ?? [])))
    let route = facts.own == nil ? route(facts) : nil
    return state.withLock { state in
      let kind: WhyReport.Kind =
        switch facts.kind {
        case .file: .file
        case .directory: .folder
        case .symlink: .link
        }
      return WhyReport(
        path: Self.shown(path), kind: kind, owner: owner.flatMap { names[$0] } ?? "",
        ownerID: owner?.value, size: facts.size,
        version: facts.entry.map { "\($0.version)" } ?? "", hub: around.hub,
        hubConnected: state.isConnected, masterPresent: state.member.masterIsPresent,
        remote: facts.own == nil ? remote(facts, state, route) : nil,
        own: facts.own.map { own($0, state) }, alsoOf: facts.others.map { names[$0] ?? "" })
    }
  }

  /// The way that bytes of somebody else's file take.
  private func route(_ facts: PathDiagnostics) -> String? {
    guard facts.kind == .file, let owner = facts.owner, let entry = facts.entry else { return nil }
    return direct.route(of: VersionKey(EntryKey(owner, entry.id), entry.version))
  }

  private func remote(
    _ facts: PathDiagnostics, _ state: State, _ route: String?
  ) -> WhyReport.Remote {
    var remote = WhyReport.Remote()
    remote.route = route
    remote.isPaused = facts.isPaused
    remote.isClosed = facts.isClosed
    if let owner = facts.owner {
      remote.presence = Self.shown(state.member.presences[owner] ?? .gone)
      remote.presenceSince = state.presenceTimes.since(owner)
    }
    guard let fetching = facts.fetching else { return remote }
    remote.leaves = facts.entry?.leafCount ?? 0
    remote.leavesCached = fetching.cached
    remote.handles = fetching.opened
    remote.readsWaiting = fetching.waiting
    remote.secondsLeft = fetching.timeLeft.map { Int(max(.zero, $0).components.seconds) }
    remote.leavesAsked = fetching.asked
    remote.leavesPostponed = fetching.postponed
    remote.leavesNotAsked = fetching.parked
    remote.window = fetching.window
    remote.rate = fetching.rate.map { UInt64(max(0, $0)) }
    remote.isBudgetFull = facts.isBudgetFull
    remote.isLinkReady = facts.isLinkReady
    return remote
  }

  private func own(_ facts: PathDiagnostics.Own, _ state: State) -> WhyReport.Own {
    var own = WhyReport.Own()
    own.isStaged = facts.isStaged
    own.isAnnounced = facts.isAnnounced
    own.isAcked = state.member.isAcked(facts.id)
    own.isDirty = facts.isDirty
    own.handles = facts.handles
    own.writers = facts.writers
    own.uploadsPaused = volume.serving.isPaused
    own.rate = facts.uploadRate.map { UInt64(max(0, $0)) }
    return own
  }

  /// The names of members, as the list has them.
  func names(of members: Set<PublicID>) -> [PublicID: String] {
    state.withLock { state in
      var names: [PublicID: String] = [:]
      for publicID in members {
        names[publicID] =
          publicID == state.member.publicID
          ? state.deviceName.text
          : state.member.replica.members[publicID]?.name.text
            ?? (publicID == .master ? "master" : "")
      }
      return names
    }
  }
}

extension IgnoreRules.Match {
  /// In words that follow `not shared: `.
  fileprivate var words: String {
    let shown = TerminalText.text(pattern)
    let file = String(decoding: IgnoreRules.fileName, as: UTF8.self)
    return switch origin {
    case .builtIn: "'\(shown)' is among the patterns of what never is (\(file) can say otherwise)"
    case .line(let number): "the pattern '\(shown)' in line \(number) of \(file) says so"
    case .ownFile: "it says what of this folder is not, to nobody else"
    }
  }
}
