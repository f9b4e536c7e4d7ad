import Glibc
import System

/// A program that ran to its end.
struct Command {
  let words: [String]
  let ending: Ending
  let output: [UInt8]
  let errors: String

  /// What it printed, as text.
  var text: String { String(decoding: output, as: UTF8.self) }
  /// The lines that it printed on stderr.
  var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

  /// Throws unless it ended well.
  @discardableResult
  func succeeded() throws -> Command {
    guard ending == .exit(0) else {
      throw NeverHappened(
        description: "\(words.joined(separator: " ")) ended with \(ending): \(errors)")
    }
    return self
  }
}

extension Fixture {
  /// Runs a program to its end, its output taken.
  func run(_ words: String..., within limit: Duration = .seconds(60)) throws -> Command {
    try run(words, within: limit)
  }

  /// Runs a line of `sh`, in which `$1`… are the words given.
  func shell(_ script: String, _ words: String...) throws -> Command {
    try run(["sh", "-c", script, "sh"] + words)
  }

  func run(
    _ words: [String], environment: [String: String] = [:], within limit: Duration = .seconds(60)
  ) throws -> Command {
    let output = newPath("out")
    let errors = newPath("err")
    let process = try RunningProcess(
      words, output: output, errors: errors, environment: environment)
    let guardID = watch(process)
    defer { unwatch(guardID) }
    let ending: Ending
    do {
      ending = try process.wait(within: limit)
    } catch {
      process.kill(SIGKILL)
      throw NeverHappened(description: "\(words.joined(separator: " ")) did not end: \(error)")
    }
    return Command(
      words: words, ending: ending, output: try File.readAll(output, limit: 64 << 20),
      errors: String(decoding: try File.readAll(errors, limit: 1 << 20), as: UTF8.self))
  }
}
