import ArgumentParser
import Control
import Glibc
import System

/// One call to the running `fsharefs`, from options to exit code.
struct Session {
  /// Nothing runs there (sysexits' EX_UNAVAILABLE).
  private static let unavailable = ExitCode(69)

  private let options: CommonOptions

  /// A session with the given options.
  init(_ options: CommonOptions) {
    self.options = options
  }

  /// Asks for a report and writes it, as text or as JSON. Throws `ExitCode`.
  func show<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = [],
    _ text: (Report) -> String
  ) throws {
    let (report, json) = try ask(type, of: command, arguments)
    try write(options.json ? json : text(report))
  }

  /// Asks for a report. Returns it with its JSON, safe to show. Throws `ExitCode`.
  func ask<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = []
  ) throws -> (report: Report, json: String) {
    let response = try call(command, arguments)
    guard let result = response.result, let report = try? result.decode(as: type) else {
      try fail("the answer to \(command) is not understood (is fsharefs of another version?)")
    }
    return (report, try result.text())
  }

  /// Gives an order and writes what came of it. Throws `ExitCode`.
  func order(_ command: String, _ arguments: [String]) throws {
    let response = try call(command, arguments)
    if options.json {
      let result = response.result ?? .object(["message": .string(response.message)])
      try write(try result.text())
    } else if !response.message.isEmpty {
      try write(TerminalText.escaped(response.message))
    }
  }

  private func call(_ command: String, _ arguments: [String]) throws -> ControlResponse {
    let request = ControlRequest(command: command, arguments: arguments)
    do {
      let response = try ControlClient.call(stateFolder: options.stateFolder, request: request)
      guard response.status == 0 else {
        try fail(response.message, ExitCode(min(max(response.status, 1), 255)))
      }
      return response
    } catch let code as ExitCode {
      throw code
    } catch ControlError.notRunning(let stateFolder) {
      try fail("\(ControlError.notRunning(stateFolder: stateFolder))", Self.unavailable)
    } catch {
      try fail("\(error)")
    }
  }

  /// Writes to standard output. Throws `ExitCode`.
  func write(_ text: String, end: String = "\n") throws {
    do {
      try File.writeAll(Array((text + end).utf8), to: STDOUT_FILENO, "standard output")
    } catch {
      try fail("\(error)")
    }
  }

  /// One line on stderr, then the end. Throws `ExitCode`.
  func fail(_ message: String, _ code: ExitCode = .failure) throws -> Never {
    remark(message)
    throw code
  }

  /// One line on stderr.
  func remark(_ message: String) {
    let line = "fsharectl: \(TerminalText.escaped(message))\n"
    // Nothing can be said about a stderr that fails.
    try? File.writeAll(Array(line.utf8), to: STDERR_FILENO, "standard error")
  }
}
