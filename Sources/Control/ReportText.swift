import System

extension StatusReport {
  /// The report for people: aligned `key: value` lines, safe to show in a terminal.
  package var text: String {
    var lines = [
      ("role", role.rawValue),
      ("state", state.rawValue),
      ("public id", publicID.map { String($0) } ?? "none yet"),
      ("name", name),
      ("words", words),
      ("hub", "\(hub) (\(hubConnected ? "connected" : "not connected"))"),
      ("master", masterPresent ? "present" : "away"),
      ("mountpoint", mountpoint),
      ("own folder", ownFolder),
      ("state folder", stateFolder),
      ("list", epoch == 0 ? "none yet" : "change \(seq) of epoch \(epoch)\(age)"),
      ("entries", "\(entries), of them own: \(ownEntries)"),
      ("not shared", unshared),
      ("pending changes", "\(pendingChanges)"),
      ("members online", "\(membersOnline)"),
      ("leaf cache", "\(Self.mebibytes(leafCacheBytes)) of \(Self.mebibytes(leafCacheLimit))"),
      ("reads waiting", "\(readsWaiting)"),
      ("uploads queued", "\(uploadsQueued)"),
      (
        "paused",
        paused == ["/"] ? "everything" : paused.isEmpty ? "nothing" : paused.joined(separator: ", ")
      ),
      ("uploads", uploadsPaused ? "paused" : "not paused"),
      ("version", version),
    ]
    if let foldersToScan {
      let place = lines.firstIndex { $0.0 == "own folder" }.map { $0 + 1 } ?? lines.endIndex
      lines.insert(
        ("own folder", "still being looked through: \(foldersToScan) folders or more to go"),
        at: place)
    }
    if let diskCacheBytes, let diskCacheLimit {
      let line = "\(Self.mebibytes(diskCacheBytes)) of \(Self.mebibytes(diskCacheLimit))"
      let place = lines.firstIndex { $0.0 == "leaf cache" }.map { $0 + 1 } ?? lines.endIndex
      lines.insert(("disk cache", line), at: place)
    }
    if let listFault { lines.append(("false list", listFault)) }
    if let restoration { lines.append(("restoration", restoration)) }
    lines += settings.map { setting in
      ("setting \(setting.name)", "\(setting.value) (\(setting.source.rawValue))")
    }
    return TextTable.text(rows: lines.map { ["\($0.0):", $0.1] })
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
  package func text(all: Bool = false) -> String {
    let head =
      ["ID", "NAME", "STATE", "PRESENCE", "ENTRIES"] + (all ? ["PATHS"] : [])
      + ["SYSTEM", "ADDRESS", "FIRST SEEN", "WORDS", "NOTE"]
    let waiting = members.filter { $0.state == .waiting }
    let shown = all ? waiting : Array(waiting.prefix(Self.waitingShown))
    let others = [MemberReport.State.approved, .disapproved].flatMap { state in
      members.filter { $0.state == state }
    }
    let table = TextTable.text(rows: [head] + (others + shown).map { Self.row($0, all: all) })
    let rest = waiting.count - shown.count
    return rest == 0 ? table : table + "\n… and \(rest) more wait: fsharectl members --all"
  }

  private static func row(_ member: MemberReport, all: Bool) -> [String] {
    let notes = [
      member.isMaster ? "master" : nil, member.isSelf ? "this one" : nil, member.doubt,
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

/// Columns of text.
enum TextTable {
  /// A number of bytes for people.
  static func bytes(_ count: Int) -> String {
    count < 1 << 20 ? "\((count + 1_023) >> 10) KiB" : "\(count >> 20) MiB"
  }

  /// One line per row, with cells padded to their column's width and escaped for terminals.
  static func text(rows: [[String]]) -> String {
    let cells = rows.map { $0.map(TerminalText.escaped) }
    var widths: [Int] = []
    for row in cells {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return cells.map { line($0, widths) }.joined(separator: "\n")
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    var result = ""
    for (cell, width) in zip(cells, widths) {
      result += cell + String(repeating: " ", count: width - cell.count + 2)
    }
    while result.last == " " { result.removeLast() }
    return result
  }
}
