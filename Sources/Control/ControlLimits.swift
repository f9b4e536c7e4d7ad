/// What a control socket allows.
package struct ControlLimits: Sendable {
  /// Bytes of a request: a command and a few names.
  package static let requestBytes = 64 * 1024
  /// Bytes of an answer: `members` of a group as large as the hub allows.
  package static let responseBytes = 16 * 1024 * 1024

  /// Connections at a time; more wait in the kernel's queue.
  package var connections = 32
  /// How long a client may take to send its request, and to take its answer.
  package var transferTimeout: Duration = .seconds(5)
  /// How long a handler may take: longer than the master may take to answer a change.
  package var answerTimeout: Duration = .seconds(60)

  /// The limits that are in force.
  package init() {}
}
