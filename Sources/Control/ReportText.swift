import System

extension StatusReport {
  /// The report for people: `key: value` lines, safe to show in a terminal. `all`: with what is
  /// rarely asked for, and the settings; else what is as usual is left out.
  package func text(_ style: TextStyle = .plain, all: Bool = false) -> String {
    let lines = (all ? place + identity + list + traffic : short) + faults + (all ? details : [])
    return KeyValues.text(lines, style)
  }

  private typealias Line = KeyValues.Line

  private var short: [Line] {
    let busy = [
      pendingChanges > 0
        ? Line("not shared yet", Amounts.count(pendingChanges, "change", "changes")) : nil,
      readsWaiting > 0 ? Line("reads waiting", "\(readsWaiting)") : nil,
      uploadsQueued > 0 ? Line("uploads queued", "\(uploadsQueued)") : nil,
      paused.isEmpty ? nil : pausedLine, uploadsPaused ? Line("uploads", "paused", .caution) : nil,
      uploadLimit == nil && downloadLimit == nil ? nil : limitsLine,
      notShared + setAside > 0 ? Line("not shared", unshared, .caution) : nil,
    ].compactMap { $0 }
    return place + (state == .live ? [] : identity.filter { $0.key == "words" })
      + list.filter { $0.key != "list" || state != .live } + busy
  }

  private var place: [Line] {
    let isFine = state == .live
    return [
      Line("mountpoint", mountpoint),
      Line("state", state.rawValue, isFine ? .good : state == .disapproved ? .bad : .caution),
      Line("role", "\(role.rawValue), as '\(name)'\(publicID.map { " (\($0))" } ?? "")"),
      Line(
        "hub", "\(hub) (\(hubConnected ? "connected" : "not connected"))",
        hubConnected ? nil : .bad),
      master,
      Line("members online", "\(membersOnline)"),
    ]
  }

  /// Whom nobody has let in is not told who is there.
  private var master: Line {
    switch state {
    case .waiting: Line("master", "has not let this device in yet", .caution)
    case .disapproved: Line("master", "has put this device out: ask whoever runs it", .bad)
    default: Line("master", masterPresent ? "present" : "away", masterPresent ? nil : .caution)
    }
  }

  private var identity: [Line] {
    [
      Line("public id", publicID.map { String($0) } ?? "none yet"), Line("name", name),
      Line("words", words),
    ]
  }

  private var list: [Line] {
    [
      Line("own folder", ownFolder),
      foldersToScan.map {
        Line("own folder", "still being looked through: \($0) folders or more to go", .caution)
      },
      Line("entries", "\(entries), of them own: \(ownEntries)"),
      Line("list", epoch == 0 ? "none yet" : "change \(seq) of epoch \(epoch)\(age)"),
    ].compactMap { $0 }
  }

  private var traffic: [Line] {
    [
      Line("not shared", unshared),
      Line("not shared yet", Amounts.count(pendingChanges, "change", "changes")),
      Line(
        "leaf cache", "\(Self.mebibytes(leafCacheBytes)) of \(Self.mebibytes(leafCacheLimit))"),
      diskCacheBytes.flatMap { bytes in
        diskCacheLimit.map {
          Line("disk cache", "\(Self.mebibytes(bytes)) of \(Self.mebibytes($0))")
        }
      },
      Line("reads waiting", "\(readsWaiting)"), Line("uploads queued", "\(uploadsQueued)"),
      pausedLine, Line("uploads", uploadsPaused ? "paused" : "not paused"), limitsLine,
      Line("direct lines", linesText),
    ].compactMap { $0 }
  }

  private var linesText: String {
    let listens = linePort.map { "listens at port \($0)" } ?? "listens nowhere"
    return "to \(Amounts.count(lines, "member", "members")); \(listens)"
  }

  private var limitsLine: Line {
    Line("limits", LimitsReport(up: uploadLimit, down: downloadLimit).text)
  }

  private var pausedLine: Line {
    Line(
      "paused",
      paused == ["/"] ? "everything" : paused.isEmpty ? "nothing" : paused.joined(separator: ", "),
      paused.isEmpty ? nil : .caution)
  }

  private var faults: [Line] {
    [
      listFault.map { Line("false list", $0, .bad) },
      restoration.map { Line("restoration", $0, .caution) },
    ].compactMap { $0 }
  }

  private var details: [Line] {
    [Line("state folder", stateFolder), Line("version", version)]
      + settings.map { Line("setting \($0.name)", "\($0.value) (\($0.source.rawValue))") }
  }

  /// How old the list may be.
  private var age: String {
    if role != .client { return "" }
    guard let listAge else { return ", as it was kept: the master has not been heard yet" }
    return ", all there was \(listAge) s ago"
  }

  /// What of the own folder the group does not have.
  private var unshared: String {
    let kept = setAside == 0 ? "" : ", and \(setAside) set aside in the staging folder"
    return "\(notShared) of the own folder\(kept) (see the log, and fsharectl why)"
  }

  private static func mebibytes(_ bytes: Int) -> String {
    let tenths = (bytes * 10 + 524_288) / 1_048_576
    return "\(tenths / 10).\(tenths % 10) MiB"
  }
}

extension MembersReport {
  /// Waiting members that are shown at most, so that a crowd that waits hides nobody who is in.
  package static let waitingShown = 20

  /// The report for people: one aligned line per member, those who wait last, safe to show in a
  /// terminal. `all`: however many wait, and what of the limits of the list each has used.
  package func text(_ style: TextStyle = .plain, all: Bool = false) -> String {
    let head =
      ["ID", "NAME", "STATE", "PRESENCE", "ENTRIES"] + (all ? ["PATHS"] : [])
      + ["SYSTEM", "ADDRESS", "FIRST SEEN", "WORDS", "NOTE"]
    let waiting = members.filter { $0.state == .waiting }
    let shown = all ? waiting : Array(waiting.prefix(Self.waitingShown))
    let others = [MemberReport.State.approved, .disapproved].flatMap { state in
      members.filter { $0.state == state }
    }
    let rows = (others + shown).map { Self.row($0, all: all) }
    let table = TextTable(head: head, rows: rows, tint: Self.tint).text(style)
    let rest = waiting.count - shown.count
    return rest == 0 ? table : table + "\n… and \(rest) more wait: fsharectl members --all"
  }

  private static func tint(_ column: Int, _ cell: String) -> TextStyle.Tint? {
    switch (column, cell) {
    case (2, "waiting"), (3, "away"): .caution
    case (2, "disapproved"): .bad
    case (3, "online"): .good
    case (3, "gone"): .faint
    default: nil
    }
  }

  private static func row(_ member: MemberReport, all: Bool) -> [String] {
    let notes = [
      member.isMaster ? "master" : nil, member.isSelf ? "this one" : nil,
      member.line.map { "direct, \($0)" }, member.doubt,
    ]
    return [
      "\(member.publicID)", member.name, member.state.rawValue, member.presence.rawValue,
      "\(member.entries)",
    ] + (all ? [TextTable.bytes(member.pathBytes ?? 0)] : []) + [
      member.system, member.address ?? "",
      member.firstSeen.map { LocalTime.text($0) } ?? "", member.words ?? "",
      notes.compactMap { $0 }.joined(separator: ", "),
    ]
  }
}

extension HubReport {
  /// The report for people.
  package func text(_ style: TextStyle = .plain) -> String {
    KeyValues.text(
      [
        .init("role", "hub alone"), .init("listens on", listens), .init("TLS key", fingerprint),
        .init(
          "master", hasMaster ? "has one" : "none yet (fshare-hub claim-code)",
          hasMaster ? nil : .caution),
        .init("state folder", stateFolder), .init("version", version),
      ], style)
  }
}

/// Aligned `key: value` lines.
enum KeyValues {
  struct Line {
    let key: String
    let value: String
    let tint: TextStyle.Tint?

    init(_ key: String, _ value: String, _ tint: TextStyle.Tint? = nil) {
      self.key = key
      self.value = TerminalText.escaped(value)
      self.tint = tint
    }
  }

  /// The lines, safe to show in a terminal.
  static func text(_ lines: [Line], _ style: TextStyle) -> String {
    let column = (lines.map { DisplayWidth.of($0.key) }.max() ?? 0) + 3
    let isNarrow = style.columns.map { $0 < 2 * column } ?? false
    let indent = isNarrow ? 2 : column
    return lines.flatMap { line in
      let key = DisplayWidth.padded("\(line.key):", isNarrow ? 0 : column)
      // A path for which the second column is too narrow may still have room in a line of its own.
      let longest = line.value.split(separator: " ").map { DisplayWidth.of($0) }.max() ?? 0
      let isLong = style.columns.map { longest > $0 - column } ?? false
      if isLong || isNarrow {
        let below = style.wrapped(line.value, firstColumn: 2, indent: 2)
        return [String(key.trimmingSuffix())]
          + below.enumerated().map { ($0 == 0 ? "  " : "") + style.tinted($1, line.tint) }
      }
      let value = style.wrapped(line.value, firstColumn: column, indent: indent)
      return [key + style.tinted(value[0], line.tint)]
        + value.dropFirst().map { style.tinted($0, line.tint) }
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate func trimmingSuffix() -> Substring {
    var rest = self[...]
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
