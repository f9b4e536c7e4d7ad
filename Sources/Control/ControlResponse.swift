/// What a running `fsharefs` answers to `fsharectl`.
package struct ControlResponse: Codable, Equatable, Sendable {
  /// The exit code of `fsharectl`: 0 when it was done, 1 when it was refused.
  package var status: Int32
  /// One line for people: what was done, or why not.
  package var message: String
  /// What was asked for: a `StatusReport`, a `MembersReport`, or nothing.
  package var result: JSONValue?

  /// An answer.
  package init(status: Int32, message: String, result: JSONValue? = nil) {
    self.status = status
    self.message = message
    self.result = result
  }

  /// A command that was done, with a line for people.
  package static func done(_ message: String = "") -> ControlResponse {
    ControlResponse(status: 0, message: message)
  }

  /// A command that was refused, and why.
  package static func refused(_ message: String) -> ControlResponse {
    ControlResponse(status: 1, message: message)
  }

  /// A command that was done, with a report. A report that JSON cannot say becomes a refusal.
  package static func report(_ report: some Encodable) -> ControlResponse {
    do {
      return ControlResponse(status: 0, message: "", result: try JSONValue(encoding: report))
    } catch {
      return refused("the report cannot be written as JSON: \(error)")
    }
  }
}
