extension TransfersReport {
  /// The report for people and pipes: one line per transfer, safe to show in a terminal.
  package var text: String {
    if transfers.isEmpty { return "nothing is being read or uploaded" }
    return transfers.map(\.line).joined(separator: "\n")
  }

  /// The report for a terminal of this size, two lines per transfer, none longer than the terminal
  /// is wide.
  package func screen(columns: Int, rows: Int) -> [String] {
    guard !transfers.isEmpty else {
      return [Self.clipped("nothing is being read or uploaded", columns)]
    }
    // One line for the route, one for what has no room, one for the cursor.
    let room = max(1, (rows - 3) / 2)
    var lines = [Self.clipped(TerminalText.escaped(route), columns)]
    for transfer in transfers.prefix(room) {
      let head = "\(transfer.direction.rawValue) "
      let path = TerminalText.escaped(transfer.path)
      lines.append(head + Self.shortened(path, max(1, columns - head.count)))
      lines.append(Self.clipped("  " + transfer.figures, columns))
    }
    if transfers.count > room {
      lines.append(Self.clipped("… and \(transfers.count - room) more", columns))
    }
    return lines
  }

  /// What replaces a screen by the next one, where the cursor stands below it: every line is
  /// overwritten and only then its rest cleared, so that nothing flickers.
  package static func redrawing(_ lines: [String], over previous: Int) -> String {
    let up = previous > 0 ? "\u{1B}[\(previous)A\r" : ""
    // Lines do not wrap, whatever the width of their characters.
    return "\u{1B}[?7l" + up + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J\u{1B}[?7h"
  }

  private static func clipped(_ text: String, _ columns: Int) -> String {
    text.count <= columns ? text : String(text.prefix(max(0, columns - 1))) + "…"
  }

  /// A path without its middle: the beginning and the name tell most.
  fileprivate static func shortened(_ text: String, _ columns: Int) -> String {
    guard text.count > columns else { return text }
    let tail = columns * 2 / 3
    return String(text.prefix(max(0, columns - 1 - tail))) + "…" + String(text.suffix(tail))
  }
}

extension TransfersReport.Transfer {
  /// Characters of an owner's name on a screen.
  private static let nameShown = 18

  fileprivate var line: String {
    let path = TerminalText.escaped(path)
    let owner = "\(TerminalText.escaped(owner)) (\(ownerID))"
    let whose = direction == .reading ? "reading from \(owner)" : "uploading"
    let parts = ["\(whose) for \(TerminalText.escaped(reader))"] + amounts
    return "\(path): " + (parts + [TerminalText.escaped(route)]).joined(separator: ", ")
  }

  fileprivate var figures: String {
    let name = TransfersReport.shortened(TerminalText.escaped(owner), Self.nameShown)
    let peer = direction == .reading ? "from \(name) (\(ownerID))" : "for \(reader)"
    return ([peer] + amounts).joined(separator: "  ")
  }

  private var amounts: [String] {
    var parts = [
      bytes <= size ? Amounts.bytes(bytes, of: size) : "\(Amounts.bytes(bytes)) so far"
    ]
    switch state {
    case .paused: parts.append("paused")
    case .ownerAway: parts.append("waits: its owner is away")
    case .waiting: parts.append("waits")
    case .moving:
      parts.append("\(Amounts.bytes(rate))/s")
      if let secondsLeft { parts.append("\(Amounts.time(seconds: secondsLeft)) left") }
    }
    return parts
  }
}
