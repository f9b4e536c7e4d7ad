/// What is measured, and how often.
struct Options {
  /// Bytes of the file that is read.
  var size = 1 << 30
  /// How often each is measured.
  var runs = 3
  /// Where the programs are.
  var programs: String
  /// Where the numbers go.
  var output: String

  static let usage = """
    usage: bench [--size 1G] [--runs 3] [--programs DIR] [--json FILE]
      --size      of the file that is read: a number with K, M or G behind it
      --programs  where fsharefs and fsharectl are (default: .build/release of this checkout)
      --json      where the numbers go (default: .build/bench.json of this checkout)
    """

  init(_ arguments: [String]) throws {
    // Benchmarks/Sources/bench/Options.swift
    let checkout = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
    programs = checkout + "/.build/release"
    output = checkout + "/.build/bench.json"
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      if name == "--help" { throw Failure(Options.usage) }
      guard let value = rest.popFirst() else { throw Failure("\(name): \n" + Options.usage) }
      switch name {
      case "--size": size = try Options.bytes(value)
      case "--runs": runs = try Options.count(value)
      case "--programs": programs = value
      case "--json": output = value
      default: throw Failure("unknown option \(name)\n" + Options.usage)
      }
    }
  }

  private static func bytes(_ text: String) throws -> Int {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = text.last.flatMap { shifts[$0] }
    let digits = shift == nil ? text[...] : text.dropLast()
    guard let number = Int(digits), number > 0, number < 1 << 20 || shift == nil else {
      throw Failure("--size \(text): a number with K, M or G behind it")
    }
    return number << (shift ?? 0)
  }

  private static func count(_ text: String) throws -> Int {
    guard let number = Int(text), (1...100).contains(number) else {
      throw Failure("--runs \(text): a number from 1 to 100")
    }
    return number
  }
}
