/// What `fsharectl` asks of a running `fsharefs`.
package struct ControlRequest: Codable, Equatable, Sendable {
  /// The command's word: `status`, `members`, `approve`, `disapprove`, `name`, `invite`, `pause`,
  /// `resume`, `pause-uploads`, `resume-uploads`, `transfers`, `why`, `share`, `unshare`, `shares`.
  package var command: String
  /// Its arguments, as they were typed; paths as `PathText` says them, so that any byte can be
  /// said.
  package var arguments: [String]
  /// Who asks, in the kernel's word: the user's number; nil before the socket was asked. Never on
  /// the wire.
  package var user: UInt32?

  private enum CodingKeys: CodingKey {
    case command, arguments
  }

  /// What is asked for is the same, whoever asks.
  package static func == (one: ControlRequest, other: ControlRequest) -> Bool {
    one.command == other.command && one.arguments == other.arguments
  }

  /// A request.
  package init(command: String, arguments: [String] = []) {
    self.command = command
    self.arguments = arguments
  }
}
