/// The numbers of one run.
struct Report {
  /// One contender's.
  struct Row {
    let name: String
    /// MB/s (10^6 bytes), in the order of the runs.
    let speeds: [Double]

    var median: Double {
      let sorted = speeds.sorted()
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
  }

  /// Bytes of the file that was read.
  let size: Int
  /// The first is the one that the others are compared with.
  let rows: [Row]

  /// For people: the medians, and how many times as fast the first is.
  var table: String {
    var lines = ["", "cold read of \(size >> 20) MiB, median of \(rows[0].speeds.count)"]
    lines.append(line("", "MB/s", "fsharefs is"))
    for row in rows {
      let ratio = row.name == rows[0].name ? "" : "\(rounded(rows[0].median / row.median)) x"
      lines.append(line(row.name, "\(Int(row.median.rounded()))", ratio))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// For programs.
  var json: String {
    let entries = rows.map { row in
      let speeds = row.speeds.map(rounded).joined(separator: ", ")
      return """
            {
              "name": "\(row.name)",
              "megabytes_per_second": [\(speeds)],
              "median": \(rounded(row.median)),
              "fsharefs_is_times": \(rounded(rows[0].median / row.median))
            }
        """
    }
    return """
      {
        "bytes": \(size),
        "results": [
      \(entries.joined(separator: ",\n"))
        ]
      }

      """
  }

  private func line(_ name: String, _ speed: String, _ ratio: String) -> String {
    func left(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    return name + left(speed, max(0, 28 - name.count)) + left(ratio, 14)
  }

  /// Two digits behind the point.
  private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
