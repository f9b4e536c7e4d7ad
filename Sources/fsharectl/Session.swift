import ArgumentParser
import Control
import Glibc
import System

/// One call to the running `fsharefs`, from options to exit code.
struct Session {
  /// The state folder of the program that is asked.
  let stateFolder: String
  let hasJSON: Bool
  let style = Console.style
  /// A report needs no answer of the group: what takes longer than this is stopped, or hangs.
  private static let reportTimeout: Duration = .seconds(15)
  /// An order may wait for the group for a minute.
  private static let orderTimeout: Duration = .seconds(70)

  /// A session with the program that is meant. Throws `ExitCode`.
  init(
    _ options: CommonOptions, about path: String? = nil,
    for audience: MountFinder.Audience = .anybody
  ) throws {
    self.init(
      stateFolder: try options.stateFolder(about: path, for: audience), hasJSON: options.json)
  }

  /// A session with the program that has a state folder.
  init(stateFolder: String, hasJSON: Bool) {
    self.stateFolder = stateFolder
    self.hasJSON = hasJSON
  }

  /// Asks for a report and writes it, as text or as JSON. Throws `ExitCode`.
  func show<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = [],
    _ text: (Report) -> String
  ) throws {
    let (report, json) = try ask(type, of: command, arguments)
    try write(hasJSON ? json : text(report))
  }

  /// Asks for a report. Returns it with its JSON, safe to show. Throws `ExitCode`.
  func ask<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = []
  ) throws -> (report: Report, json: String) {
    let response = try call(command, arguments, timeout: Self.reportTimeout)
    guard let result = response.result, let report = try? result.decode(as: type) else {
      try fail("the answer to \(command) is not understood (is fsharefs of another version?)")
    }
    return (report, try result.text())
  }

  /// The same where no answer is an answer too. `timeout`: of each step.
  func look<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = [],
    timeout: Duration = .seconds(5)
  ) -> Report? {
    ControlClient.report(
      type, of: command, arguments, stateFolder: stateFolder, timeout: timeout)
  }

  /// Gives an order and writes what came of it. Throws `ExitCode`.
  func order(_ command: String, _ arguments: [String]) throws {
    let response = try call(command, arguments)
    if hasJSON {
      let result = response.result ?? .object(["message": .string(response.message)])
      try write(try result.text())
    } else if !response.message.isEmpty {
      try write(TerminalText.escaped(response.message))
    }
  }

  /// Asks, and takes no for an answer. Throws `ExitCode`.
  func answer(
    to command: String, _ arguments: [String] = [], timeout: Duration = Session.orderTimeout
  ) throws -> ControlResponse {
    let request = ControlRequest(command: command, arguments: arguments)
    do {
      return try ControlClient.call(
        stateFolder: stateFolder, request: request, timeout: timeout)
    } catch ControlError.notRunning(let stateFolder) {
      try fail("\(ControlError.notRunning(stateFolder: stateFolder))", MountFinder.unavailable)
    } catch let error as SystemError where [EACCES, EPERM].contains(error.code) {
      try fail(
        "the state folder \(stateFolder) is another user's: ask as that user, or with sudo",
        MountFinder.denied)
    } catch {
      try fail("\(error)")
    }
  }

  private func call(
    _ command: String, _ arguments: [String], timeout: Duration = Session.orderTimeout
  ) throws -> ControlResponse {
    let response = try answer(to: command, arguments, timeout: timeout)
    guard response.status == 0 else {
      try fail(response.message, ExitCode(min(max(response.status, 1), 255)))
    }
    return response
  }

  /// Writes to standard output. Throws `ExitCode`.
  func write(_ text: String, end: String = "\n") throws { try Console.write(text, end: end) }

  /// One line on stderr, then the end. Throws `ExitCode`.
  func fail(_ message: String, _ code: ExitCode = .failure) throws -> Never {
    try Console.fail(message, code)
  }

  /// One line on stderr.
  func remark(_ message: String) { Console.remark(message) }
}
