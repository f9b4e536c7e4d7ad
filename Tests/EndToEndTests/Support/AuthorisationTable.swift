import Protocol
import System

/// Who speaks to the hub: the columns of the table.
enum Speaker: String, CaseIterable, Sendable {
  case nobody, waiting, approved, disapproved, master
}

/// What the hub makes of it: the words in the cells.
enum Treatment: String, Sendable {
  case allowed, ignored, refused
}

/// What a member makes of a hub that is not the real one: the words in the last column.
enum Hearing: String, Sendable {
  /// It concerns the connection, presence or chunks only; the list stays as it was.
  case heard
  /// The member ends the connection.
  case closed
}

/// The table of docs/security.md, as it stands there.
struct AuthorisationTable {
  struct Cell: Sendable, CustomStringConvertible {
    let opcode: Opcode
    let speaker: Speaker
    let treatment: Treatment
    var description: String { "\(AuthorisationTable.name(opcode)) from \(speaker)" }
  }

  /// One message of a hub that is not the real one.
  struct Impersonation: Sendable, CustomStringConvertible {
    let opcode: Opcode
    let hearing: Hearing
    var description: String { "\(AuthorisationTable.name(opcode)) from an impersonator" }
  }

  /// The messages that the rows name, in their order.
  let names: [String]
  let cells: [Cell]
  /// The last column.
  let impersonations: [Impersonation]

  /// Reads the table. Throws where it names what there is not.
  init() throws {
    let root = (1...4).reduce(#filePath) { path, _ in File.folder(of: path) }
    let text = try Files.text(root + "/docs/security.md")
    guard let section = text.firstRange(of: "## Who may say what") else {
      throw NeverHappened(description: "docs/security.md does not say who may say what")
    }
    let rows = text[section.upperBound...].split(separator: "\n").filter { $0.hasPrefix("|") }
      .map { row in
        row.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
          .map { $0.filter { $0 != " " } }
      }
    guard let head = rows.first, head.first == "message" else {
      throw NeverHappened(description: "docs/security.md has no table of messages")
    }
    var names: [String] = []
    var cells: [Cell] = []
    var impersonations: [Impersonation] = []
    for row in rows.dropFirst(2) {
      guard let name = row.first, row.count == head.count else {
        throw NeverHappened(description: "a row of docs/security.md lacks cells: \(row)")
      }
      names.append(name)
      guard let opcode = Opcode.allCases.first(where: { Self.name($0) == name }) else { continue }
      guard let word = row.last, let hearing = Hearing(rawValue: word) else {
        throw NeverHappened(description: "docs/security.md: \(name), hub-impersonator")
      }
      impersonations.append(Impersonation(opcode: opcode, hearing: hearing))
      for speaker in Speaker.allCases {
        guard let column = head.firstIndex(of: speaker.rawValue),
          let treatment = Treatment(rawValue: row[column])
        else { throw NeverHappened(description: "docs/security.md: \(name), \(speaker)") }
        cells.append(Cell(opcode: opcode, speaker: speaker, treatment: treatment))
      }
    }
    self.names = names
    self.cells = cells
    self.impersonations = impersonations
  }

  /// `disApproveClient` as the protocol writes it: DIS_APPROVE_CLIENT.
  static func name(_ opcode: Opcode) -> String {
    "\(opcode)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
  }
}
