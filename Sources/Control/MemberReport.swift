/// One member of the group, as `members` shows it.
package struct MemberReport: Codable, Equatable, Sendable {
  /// What the master decided about a member.
  package enum State: String, Codable, Sendable {
    case waiting, approved, disapproved
  }

  /// What the hub says about a member's connection.
  package enum Presence: String, Codable, Sendable {
    case online, away, gone
  }

  /// The public id that the hub gave; 0 is the master.
  package var publicID: UInt32
  /// The member's name, chosen by itself: hostile until escaped (`TerminalText`).
  package var name: String
  /// The member's system, said by itself: hostile until escaped.
  package var system: String
  /// What the master decided.
  package var state: State
  /// What the hub says about the connection.
  package var presence: Presence
  /// Whether it is the member that was asked.
  package var isSelf: Bool
  /// Whether it is the master.
  package var isMaster: Bool
  /// Entries of the list that it owns.
  package var entries: Int
  /// Bytes of the paths of those, with the directories that only they imply.
  package var pathBytes: Int?
  /// The six words of its key; nil where the key is not known here.
  package var words: String?
  /// The numeric address that it last came from, in the hub's word: hostile until escaped. Only the
  /// master is told.
  package var address: String?
  /// When the hub first met it, seconds since 1970. Only the master is told.
  package var firstSeen: Int64?

  /// The address at the other end of a line to it; nil where there is none.
  package var line: String?

  /// Why it is not in though nobody decided so: for the master to tell. nil where there is no
  /// doubt.
  package var doubt: String?

  /// A report with every field given.
  package init(
    publicID: UInt32, name: String, system: String, state: State, presence: Presence,
    isSelf: Bool, isMaster: Bool, entries: Int,
    words: String? = nil, address: String? = nil, firstSeen: Int64? = nil
  ) {
    self.publicID = publicID
    self.name = name
    self.system = system
    self.state = state
    self.presence = presence
    self.isSelf = isSelf
    self.isMaster = isMaster
    self.entries = entries
    self.words = words
    self.address = address
    self.firstSeen = firstSeen
  }
}

/// The answer to `members`.
package struct MembersReport: Codable, Equatable, Sendable {
  /// All members, in the order of their public ids.
  package var members: [MemberReport]

  /// A report, in the order given.
  package init(members: [MemberReport]) {
    self.members = members
  }

  /// The client that a person means: by its number, which digits alone always are, whatever
  /// somebody calls himself; else by its name. Throws: that there is none, or that several have
  /// that name, with their numbers.
  package func client(called who: String) throws(NotOneClient) -> MemberReport {
    let isNumber = !who.isEmpty && who.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let found = members.filter {
      !$0.isMaster && (isNumber ? "\($0.publicID)" == who : $0.name == who)
    }
    if found.count == 1 { return found[0] }
    throw NotOneClient(who: who, numbers: found.map(\.publicID))
  }
}

/// No client, or several, are called what somebody said.
package struct NotOneClient: Error, Equatable, CustomStringConvertible {
  /// What was said.
  package let who: String
  /// Those who are called that.
  package let numbers: [UInt32]

  package var description: String {
    if numbers.isEmpty { return "no client '\(who)'; see: fsharectl members --all" }
    let list = numbers.sorted().map { "\($0)" }.joined(separator: ", ")
    return "\(numbers.count) clients are named '\(who)': give the number of the one that is meant, "
      + "of \(list); their words tell them apart: fsharectl members --all"
  }
}
