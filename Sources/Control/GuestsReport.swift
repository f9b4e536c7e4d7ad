import System

/// The answer to `guests`: the links that are good.
package struct GuestsReport: Codable, Equatable, Sendable {
  /// One link.
  package struct Guest: Codable, Equatable, Sendable {
    package var id: String
    /// In the share, as it stands in an address.
    package var path: String
    package var isDrop: Bool
    /// Seconds since 1970; nil: it has no end.
    package var until: Int64?
    package var created: Int64
    /// How often it was used to come in.
    package var opened: Int
    /// Bytes that were read or left.
    package var bytes: UInt64

    package init(
      id: String, path: String, isDrop: Bool, until: Int64?, created: Int64, opened: Int,
      bytes: UInt64
    ) {
      self.id = id
      self.path = path
      self.isDrop = isDrop
      self.until = until
      self.created = created
      self.opened = opened
      self.bytes = bytes
    }
  }

  /// Where guests come to; nil: nowhere.
  package var listens: String?
  package var guests: [Guest]

  package init(listens: String?, guests: [Guest]) {
    self.listens = listens
    self.guests = guests
  }
}

extension GuestsReport {
  /// The report for people: one aligned line per link, safe to show in a terminal.
  package func text(_ style: TextStyle = .plain) -> String {
    let place = listens.map { "guests come to \($0)" } ?? "guests have no way in: --window-listen"
    if guests.isEmpty { return "no guest has a link; \(place)" }
    let table = TextTable(
      head: ["ID", "PATH", "MAY", "UNTIL", "OPENED", "BYTES"],
      rows: guests.map {
        [
          $0.id, "/\($0.path)", $0.isDrop ? "leave files" : "read",
          $0.until.map { LocalTime.text($0) } ?? "no end",
          "\($0.opened)", Amounts.bytes($0.bytes),
        ]
      }
    ) { _, _ in nil }
    return table.text(style) + "\n" + place
  }
}
