import System

extension WhyReport {
  /// The same on a terminal, broken between words only.
  package func text(_ style: TextStyle) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .flatMap { style.wrapped(String($0), firstColumn: 0, indent: 2) }.joined(separator: "\n")
  }

  /// The report for people: plain sentences, one a line, safe to show in a terminal.
  package var text: String {
    var lines = own == nil && remote == nil && unshared != nil ? [] : [place]
    if let unshared { lines += unshared.sentences }
    if let own, kind == .file { lines += own.sentences(self) }
    if let own, kind != .file { lines += own.announcement(self) }
    if let remote { lines += kind == .file ? remote.sentences(self) : remote.whereabouts(self) }
    if !alsoOf.isEmpty {
      lines.append(
        "\(alsoOf.joined(separator: ", ")) also \(alsoOf.count == 1 ? "has" : "have") something "
          + "in it: until that is gone it cannot be renamed or removed.")
    }
    return lines.map(TerminalText.escaped).joined(separator: "\n")
  }

  private var place: String {
    let what = kind == .file ? "a file of \(Amounts.bytes(size)), version \(version)" : "a \(kind)"
    if own != nil { return "\(path) is your own: \(what)." }
    guard let ownerID else { return "\(path) is \(what) that several members have something in." }
    return "\(path) is \(what), of \(owner) (member \(ownerID))."
  }
}

extension WhyReport.Unshared {
  fileprivate var sentences: [String] {
    guard let keptAs else {
      return ["\(path) in your own folder is not shared: \(reason)."]
    }
    return [
      "A file that was copied in for \(path) is not shared: \(reason).",
      "It is kept as \(keptAs), and tried again at the next start.",
    ]
  }
}

extension WhyReport.Own {
  fileprivate func sentences(_ report: WhyReport) -> [String] {
    var lines = [
      isStaged
        ? "It is staged: it moves into the own folder once the group has it."
        : "It lies in the own folder."
    ]
    if handles > 0 {
      lines.append(
        "It is open by \(Amounts.count(handles, "handle", "handles")), \(writers) to write.")
    }
    lines += announcement(report)
    if uploadsPaused { lines.append("Uploads are paused: nobody gets it until they are resumed.") }
    if let rate, rate > 0 { lines.append("It is being uploaded at \(Amounts.bytes(rate))/s.") }
    return lines
  }

  /// What the group knows of it.
  fileprivate func announcement(_ report: WhyReport) -> [String] {
    if isDirty {
      return [
        "It was written since it was last announced: the group hears of it at close or fsync."
      ]
    }
    if !isAnnounced { return ["The group was not told of it yet."] }
    if isAcked { return ["The group has it as it is."] }
    let reason =
      !report.hubConnected
      ? "the hub at \(report.hub) is not connected"
      : !report.masterPresent ? "the master is away" : "its answer is awaited"
    return ["It is announced, but the group has not taken it: \(reason)."]
  }
}

extension WhyReport.Remote {
  fileprivate func sentences(_ report: WhyReport) -> [String] {
    var lines = whereabouts(report)
    lines.append(
      leavesCached == 0
        ? "None of its \(Amounts.count(Int(clamping: leaves), "leaf", "leaves")) is in memory."
        : "\(leavesCached) of its \(Amounts.count(Int(clamping: leaves), "leaf", "leaves")) "
          + "\(leavesCached == 1 ? "is" : "are") in memory.")
    lines.append(
      handles == 0
        ? "No program has it open."
        : "It is open by \(Amounts.count(handles, "handle", "handles")).")
    if let route {
      let isDirect = route.hasPrefix("direct")
      lines.append("Its bytes come \(isDirect ? "by a line: " : "")\(route).")
    }
    if readsWaiting > 0 {
      let who = Amounts.count(readsWaiting, "read waits", "reads wait")
      lines.append("\(who) \(reason(report)); \(deadline).")
    }
    return lines + limits
  }

  /// Where its bytes are.
  fileprivate func whereabouts(_ report: WhyReport) -> [String] {
    var lines: [String] = []
    if isPaused { lines.append("It is paused: nothing is fetched for it (fsharectl resume).") }
    if report.ownerID != nil { lines.append(ownersPresence) }
    if isClosed {
      lines.append("Only its owner puts something into it, until he lets all (chmod o+w).")
    }
    if !report.hubConnected { lines.append("The hub at \(report.hub) is not connected.") }
    return lines
  }

  private var ownersPresence: String {
    let since = presenceSince.map { " since \(LocalTime.text($0))" } ?? ""
    return switch presence {
    case .online: "Its owner is online."
    case .away: "Its owner is away\(since): reads wait for it to come back."
    case .gone: "Its owner is gone\(since): reads fail."
    }
  }

  private func reason(_ report: WhyReport) -> String {
    if isPaused { return "for the pause to end" }
    if !report.hubConnected || !isLinkReady { return "for the connection to the hub" }
    if presence != .online { return "for its owner to come back" }
    if leavesPostponed > 0 {
      return "for its owner or the hub, which are busy or have paused uploads"
    }
    return "for leaves on their way"
  }

  private var deadline: String {
    guard let secondsLeft else { return "a pause has no deadline" }
    return "the first gives up in \(Amounts.time(seconds: UInt64(max(0, secondsLeft))))"
  }

  /// What keeps it from going faster.
  private var limits: [String] {
    var lines: [String] = []
    if let rate, rate > 0 { lines.append("It comes at \(Amounts.bytes(rate))/s.") }
    if leavesAsked > 0 {
      lines.append("\(Amounts.count(leavesAsked, "leaf is", "leaves are")) on their way.")
    }
    if window > 0 {
      lines.append("At most \(Amounts.bytes(window)) are fetched ahead of its reader.")
    }
    if isBudgetFull {
      lines.append("The memory for leaves is full of what is on its way: nothing is fetched ahead.")
    }
    return lines
  }
}
