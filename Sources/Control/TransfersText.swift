extension TransfersReport {
  /// The report for people and pipes: one line per transfer, small files added up, safe to show in
  /// a terminal. On a terminal no wider than that.
  package func text(_ style: TextStyle = .plain) -> String {
    if transfers.isEmpty { return "nothing is being read or uploaded" }
    guard let columns = style.columns else {
      return lines.map(\.text).joined(separator: "\n")
    }
    return screen(columns: columns, rows: .max).joined(separator: "\n")
  }

  /// The report for a terminal of this size, two lines per transfer, none longer than the terminal
  /// is wide.
  package func screen(columns: Int, rows: Int) -> [String] {
    guard !transfers.isEmpty else {
      return [DisplayWidth.clipped("nothing is being read or uploaded", columns)]
    }
    // One line for the route, one for what has no room, one for the cursor.
    let room = max(1, (rows - 3) / 2)
    let shown = lines
    var text = [DisplayWidth.clipped(TerminalText.escaped(route), columns)]
    for line in shown.prefix(room) {
      let head = "\(line.direction.rawValue) "
      text.append(head + DisplayWidth.shortened(line.title, max(1, columns - head.count)))
      text.append(DisplayWidth.clipped("  " + line.figures, columns))
    }
    if shown.count > room {
      text.append(DisplayWidth.clipped("… and \(shown.count - room) more", columns))
    }
    return text
  }

  /// What replaces a screen by the next one, where the cursor stands below it: every line is
  /// overwritten and only then its rest cleared, so that nothing flickers.
  package static func redrawing(_ lines: [String], over previous: Int) -> String {
    let up = previous > 0 ? "\u{1B}[\(previous)A\r" : ""
    // Lines do not wrap, whatever the width of their characters.
    return "\u{1B}[?7l" + up + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J\u{1B}[?7h"
  }
}

extension TransfersLine {
  /// Columns of an owner's name on a screen.
  private static let nameShown = 18

  fileprivate var direction: TransfersReport.Transfer.Direction {
    switch self {
    case .one(let transfer): transfer.direction
    case .many(let files): files.direction
    }
  }

  private var owner: String {
    switch self {
    case .one(let transfer): transfer.owner
    case .many(let files): files.owner
    }
  }

  private var ownerID: UInt32 {
    switch self {
    case .one(let transfer): transfer.ownerID
    case .many(let files): files.ownerID
    }
  }

  private var reader: String {
    switch self {
    case .one(let transfer): transfer.reader
    case .many(let files): files.reader
    }
  }

  /// The path, or which files there are; safe to show.
  fileprivate var title: String {
    switch self {
    case .one(let transfer): return TerminalText.escaped(transfer.path)
    case .many(let files):
      let place = files.folder.isEmpty ? "" : " in \(TerminalText.escaped(files.folder))/"
      return "\(files.count) small files\(place)"
    }
  }

  /// In a pipe.
  fileprivate var text: String {
    let owner = "\(TerminalText.escaped(owner)) (\(ownerID))"
    let whose = direction == .reading ? "reading from \(owner)" : "uploading"
    let parts = ["\(whose) for \(TerminalText.escaped(reader))"] + amounts
    return "\(title): " + (parts + [TerminalText.escaped(route)]).joined(separator: ", ")
  }

  /// On a screen.
  fileprivate var figures: String {
    let name = DisplayWidth.shortened(TerminalText.escaped(owner), Self.nameShown)
    let peer = direction == .reading ? "from \(name) (\(ownerID))" : "for \(reader)"
    return ([peer] + amounts).joined(separator: "  ")
  }

  private var route: String {
    switch self {
    case .one(let one): one.route
    case .many(let files): files.route
    }
  }

  private var amounts: [String] {
    switch self {
    case .one(let one):
      Self.amounts(one.bytes, of: one.size, one.state, one.rate, one.secondsLeft)
    case .many(let files):
      Self.amounts(files.bytes, of: files.size, files.state, files.rate, nil)
    }
  }

  private static func amounts(
    _ bytes: UInt64, of size: UInt64, _ state: TransfersReport.Transfer.State, _ rate: UInt64,
    _ secondsLeft: UInt64?
  ) -> [String] {
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
