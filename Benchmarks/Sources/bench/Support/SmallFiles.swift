/// A folder of many small files.
enum SmallFiles {
  static let count = 2_000
  static let size = 4_096

  /// Makes it.
  static func make(_ folder: String, seed: UInt64) throws {
    try Files.makeFolder(folder)
    for index in 0..<count {
      try Content.write("\(folder)/file-\(index)", size: size, seed: seed)
    }
  }

  /// Copies it with `cp -r`. Returns: files in a second.
  static func copyingSpeed(_ folder: String, to target: String, _ stage: Stage) throws -> Double {
    let log = stage.scratch.path("cp-log")
    let seconds = try Child.timed(["cp", "-r", folder, target], log: log)
    let copied = Files.names(in: target).count
    guard copied == count else { throw Failure("\(target): \(copied) files instead of \(count)") }
    return Double(count) / seconds
  }

  /// Microseconds of processor time for each file, by role.
  static func processorTime(_ used: [(role: String, seconds: Double)]) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: used.map { (key($0.role), $0.seconds / Double(count) * 1e6) })
  }

  /// A line about `processorTime`.
  static func note(_ route: some Route, _ series: Series) -> String {
    let parts = route.processes.map {
      "\($0.role) \(rounded(median(series[route.name, key($0.role)])))"
    }
    return "processor µs for each file, \(route.name): \(parts.joined(separator: ", "))"
  }

  private static func key(_ role: String) -> String { "processor µs \(role)" }

  /// Removes a folder, and nothing that is mounted in it.
  static func remove(_ folder: String) throws {
    try Child.run(["rm", "-rf", "--one-file-system", folder], log: "/dev/null")
  }
}
