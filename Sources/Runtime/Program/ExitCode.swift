import State

/// What a program's end means; `docs/operations.md` lists them. The numbers follow sysexits(3)
/// where it has one.
package enum ExitCode: Int32, CaseIterable, Sendable {
  case success = 0
  case failure = 1
  /// A wrong option or argument.
  case usage = 64
  /// The mountpoint cannot be used.
  case mountpoint = 66
  /// The hub cannot be reached.
  case unreachable = 69
  /// The own folder or the state folder cannot be used.
  case folder = 73
  /// Another process with the same private id took this one's place.
  case displaced = 75
  /// What answers is not a hub, or speaks another version of the protocol.
  case protocolMismatch = 76
  /// Disapproved, or not the master of this hub.
  case refused = 77
  /// The hub or the master has another key than the one that was remembered.
  case untrusted = 78

  /// Whether the same command, started again by itself, may go well: a crash or an absent hub
  /// passes. The rest asks for a person, and two machines with one key would displace each
  /// other for ever: the units name those codes in `RestartPreventExitStatus=`.
  package var restartMayMend: Bool {
    switch self {
    case .failure, .unreachable: true
    case .success, .usage, .mountpoint, .folder, .displaced, .protocolMismatch, .refused,
      .untrusted:
      false
    }
  }
}

/// Why a program ends: one line for the user, and the code.
package struct Ending: Error, CustomStringConvertible, Sendable {
  package let code: ExitCode
  package let text: String
  package init(_ code: ExitCode, _ text: String) {
    self.code = code
    self.text = text
  }
  package var description: String { text }
}

extension Ending {
  /// A file of the state folder cannot be used: code 73.
  init(_ fault: StateFault) { self.init(.folder, fault.description) }

  /// Runs what looks at files of the state folder; what it throws becomes an ending with code 73.
  static func rethrowing<Result>(
    _ body: () throws(StateFault) -> Result
  ) throws(Ending) -> Result {
    do throws(StateFault) { return try body() } catch { throw Ending(error) }
  }
}
