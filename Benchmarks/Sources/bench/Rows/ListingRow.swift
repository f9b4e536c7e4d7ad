import Glibc

/// `find` and `ls -lR` over many files: on a mount that has just been made, and again.
enum ListingRow: Row {
  static let name = "listing"
  static let title = "20,000 files"
  private static let folders = 100
  private static let filesInEach = 200
  private static let raw = "the folder itself"
  private static let programs = [["find"], ["ls", "-lR"]]
  /// What counts as the kernel's own speed: a multiple of the time that a folder in memory takes. A
  /// mount's folders are opened and read by requests to its daemon, whatever the kernel keeps.
  private static let kernelSpeed = 2.0

  static func measure(on stage: Stage) throws -> Outcome {
    let group = try Group(stage) { own in try make(own) }
    let ssh = try SSH(stage)
    try make(ssh.source)
    let folder = try stage.scratch.newFolder("raw")
    try make(folder)
    let series = try stage.rounds([
      Stage.Contender(group.name) { _ in
        try walks(group.target) { try group.remount() }
      },
      Stage.Contender(ssh.name) { _ in
        try walks(ssh.target) { try ssh.remount() }
      },
      Stage.Contender(raw) { _ in try walks(folder) {} },
    ])
    let figures = programs.flatMap { words in
      let program = words.joined(separator: " ")
      let (first, again) = ("\(program) first", "\(program) again")
      return [
        Figure(
          "\(program), \(title), first time", "s", series[group.name, first],
          against: (ssh.name, series[ssh.name, first]), .atMost(0.5, aim: 0.25)),
        Figure(
          "\(program), \(title), again", "s", series[group.name, again],
          against: (raw, series[raw, again]), .atMost(kernelSpeed, aim: nil)),
      ]
    }
    return Outcome(figures: figures)
  }

  private static func make(_ folder: String) throws {
    for index in 0..<folders {
      try Files.makeFolder("\(folder)/folder-\(index)")
      for file in 0..<filesInEach {
        try "\(file)".write(to: "\(folder)/folder-\(index)/file-\(file)")
      }
    }
  }

  private static func walks(_ folder: String, remount: () throws -> Void) throws
    -> [String: Double]
  {
    var measured: [String: Double] = [:]
    for words in programs {
      try remount()
      let program = words.joined(separator: " ")
      for time in ["first", "again"] {
        measured["\(program) \(time)"] = try Child.timed(words + [folder], log: "/dev/null")
      }
      let files = (0..<folders).reduce(0) { $0 + Files.names(in: "\(folder)/folder-\($1)").count }
      guard files == folders * filesInEach else { throw Failure("\(folder): \(files) files") }
    }
    return measured
  }
}
