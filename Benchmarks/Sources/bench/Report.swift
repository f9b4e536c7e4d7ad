/// The numbers of one run.
struct Report {
  struct Row {
    let name: String
    let title: String
    let outcome: Outcome
    /// Why there are no figures.
    var failure: String?
  }

  let isFull: Bool
  let runs: Int
  let machine: String
  var rows: [Row] = []
  /// How long all of it took.
  var seconds = 0.0

  /// Whether every row was measured.
  var isComplete: Bool { rows.allSatisfy { $0.failure == nil } }

  private static let head = [
    "row", "figure", "fsharefs", "peer", "peer's", "ratio", "must", "aim", "reached",
  ]

  /// For people: Markdown.
  var table: String {
    var lines = [Report.head, Report.head.map { _ in "---" }]
    for row in rows {
      lines += row.outcome.figures.map { Report.cells($0, row.name) }
      if row.failure != nil {
        lines.append([row.name, row.title] + [String](repeating: "", count: 6) + ["FAILED"])
      }
    }
    let widths = Report.head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let table = lines.map { line in
      let cells = zip(line, widths).map { cell, width in
        cell + String(repeating: cell == "---" ? "-" : " ", count: width - cell.count)
      }
      return "| " + cells.joined(separator: " | ") + " |"
    }
    let notes = rows.flatMap { row in row.outcome.notes.map { "- \(row.name): \($0)" } }
    let about = "\(machine); medians of \(runs) rounds; \(Int(seconds.rounded())) s"
    return (["", about, ""] + table + [""] + notes).joined(separator: "\n") + "\n"
  }

  private static func cells(_ figure: Figure, _ row: String) -> [String] {
    let sign = figure.bar.direction == .atLeast ? "≥ " : "≤ "
    let limits = [figure.bar.must, figure.bar.aim].map { $0.map { sign + rounded($0) } ?? "" }
    let ours = "\(rounded(median(figure.ours))) \(figure.unit)"
    guard let peer = figure.peer else {
      return [row, figure.title, ours, "", "", ""] + limits + [figure.verdict]
    }
    return [
      row, figure.title, ours, peer.name, rounded(median(peer.values)), rounded(figure.result),
    ] + limits + [figure.verdict]
  }

  /// For programs.
  var json: String {
    let rows = rows.map { row in
      JSON.object([
        ("row", .text(row.name)), ("title", .text(row.title)),
        ("failure", row.failure.map { .text($0) } ?? .null),
        ("figures", .list(row.outcome.figures.map { Report.value($0) })),
        ("notes", .list(row.outcome.notes.map { .text($0) })),
      ])
    }
    return JSON.object([
      ("machine", .text(machine)), ("full", .truth(isFull)), ("rounds", .number(Double(runs))),
      ("seconds", .number(seconds)), ("rows", .list(rows)),
    ]).text + "\n"
  }

  private static func value(_ figure: Figure) -> JSON {
    func optional(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    return .object([
      ("figure", .text(figure.title)), ("unit", .text(figure.unit)),
      ("fsharefs", .list(figure.ours.map { .number($0) })),
      ("peer", figure.peer.map { .text($0.name) } ?? .null),
      ("peer_values", .list((figure.peer?.values ?? []).map { .number($0) })),
      ("result", .number(figure.result)), ("bar", .text(figure.bar.direction.rawValue)),
      ("must", optional(figure.bar.must)), ("aim", optional(figure.bar.aim)),
      ("reached", .text(figure.verdict)),
    ])
  }
}
