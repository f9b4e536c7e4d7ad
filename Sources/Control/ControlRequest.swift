/// What `fsharectl` asks of a running `fsharefs`.
package struct ControlRequest: Codable, Equatable, Sendable {
  /// The command's word: `status`, `members`, `approve`, `disapprove`, `name`, `invite`, `pause`,
  /// `resume`, `pause-uploads`, `resume-uploads`, `transfers`, `why`, `share`, `unshare`, `shares`.
  package var command: String
  /// Its arguments, as they were typed; paths as `PathText` says them, so that any byte can be
  /// said.
  package var arguments: [String]

  /// A request.
  package init(command: String, arguments: [String] = []) {
    self.command = command
    self.arguments = arguments
  }
}
