/// The answer to `events`: what happened in the group since this process began, the newest last.
package struct EventsReport: Codable, Equatable, Sendable {
  /// One thing that happened.
  package struct Event: Codable, Equatable, Sendable {
    /// Counts up.
    package var number: Int64
    /// Seconds since 1970.
    package var at: Int64
    /// A sentence; names in it are hostile until escaped (`TerminalText`).
    package var text: String

    package init(number: Int64, at: Int64, text: String) {
      self.number = number
      self.at = at
      self.text = text
    }
  }

  package var events: [Event]

  package init(events: [Event]) { self.events = events }
}
