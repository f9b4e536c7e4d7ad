/// What is measured, and how often.
struct Options {
  /// The long form: larger files, more rounds.
  var isFull = false
  /// Names of the rows.
  var rows: [String] = allRows.filter { !$0.isAskedFor }.map { $0.name }
  /// How often each is measured; 0: as the form says.
  private var rounds = 0
  /// Where the programs are.
  var programs: String
  /// Where the numbers go.
  var output: String

  /// Bytes of a large file.
  var size: Int { isFull ? 2 << 30 : 1 << 30 }
  var runs: Int { rounds > 0 ? rounds : isFull ? 5 : 3 }

  static var usage: String {
    let rows = allRows.map { row in
      "    \(row.name)\(String(repeating: " ", count: 16 - row.name.count))\(row.title)"
    }
    return """
      usage: bench [--full] [--rows a,b] [--runs N] [--programs DIR] [--json FILE]
        --full      files of 2 GiB and 5 rounds, in place of 1 GiB and 3
        --rows      only these
        --runs      so many rounds
        --programs  where fsharefs, fshare-hub and fsharectl are (default: .build/release)
        --json      where the numbers go (default: .build/bench.json)
      rows:
      \(rows.joined(separator: "\n"))
      """
  }

  init(_ arguments: [String]) throws {
    // Benchmarks/Sources/bench/Options.swift
    let checkout = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
    programs = checkout + "/.build/release"
    output = checkout + "/.build/bench.json"
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      if name == "--help" { throw Failure(Options.usage) }
      if name == "--full" {
        isFull = true
        continue
      }
      guard let value = rest.popFirst() else {
        throw Failure("\(name): a value is missing, or it is unknown\n" + Options.usage)
      }
      switch name {
      case "--rows": rows = try Options.rows(value)
      case "--runs": rounds = try Options.count(value)
      case "--programs": programs = value
      case "--json": output = value
      default: throw Failure("unknown option \(name)\n" + Options.usage)
      }
    }
  }

  private static func rows(_ text: String) throws -> [String] {
    let names = text.split(separator: ",").map { String($0) }
    for name in names where !allRows.contains(where: { $0.name == name }) {
      throw Failure("--rows \(name): there is no such row\n" + Options.usage)
    }
    return names
  }

  private static func count(_ text: String) throws -> Int {
    guard let number = Int(text), (1...100).contains(number) else {
      throw Failure("--runs \(text): a number from 1 to 100")
    }
    return number
  }
}
