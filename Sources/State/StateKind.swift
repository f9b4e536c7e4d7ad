/// The files of a state folder, by their names. `docs/operations.md` says what each is for.
package enum StateKind: String, CaseIterable, Sendable {
  /// The private id of this device.
  case key
  case name
  case incarnation
  case group
  /// The options of the last start.
  case options
  case shares
  case keeps
  case index
  case cacheKey = "cache-key"
  /// What a member's copy of the list is sealed under.
  case listKey = "list-key"
  /// What the numbers of others' entries are made with.
  case numberKey = "number-key"
  /// What is said once, and was.
  case notices
  /// The master's keys and decisions.
  case vault
  /// The master's list.
  case journal
  /// That a master was set back, and who waits for a person's word since.
  case restored
  /// The hub's clients.
  case registry
  case claimCode = "claim-code"
  /// The browsers that a window lets in.
  case browsers
  /// The links of guests.
  case guests
  /// Where what is being copied in belongs: in the staging folder.
  case targets

  /// The format that this program writes. 1 was before files had a first line; a later one is
  /// refused.
  package static let format = 2

  /// Bytes of the longest such file: what is longer holds something else.
  var limit: Int {
    switch self {
    case .key, .name, .incarnation, .group, .cacheKey, .listKey, .numberKey, .notices,
      .claimCode:
      4_096
    case .browsers, .guests: 1 << 20
    // A thousand of the longest paths.
    case .shares, .keeps: 8 << 20
    // Some paths.
    case .options: 256 << 10
    // A hundred thousand decisions.
    case .vault: 64 << 20
    case .restored: 2 << 20
    case .index, .journal, .registry, .targets: 1 << 32
    }
  }

  /// Whether a program that finds it damaged makes it anew and goes on: it costs time, nothing
  /// else.
  package var isMadeAnew: Bool {
    switch self {
    case .name, .incarnation, .index, .cacheKey, .listKey, .numberKey, .notices, .targets,
      .browsers, .guests:
      true
    case .key, .group, .options, .shares, .keeps, .vault, .journal, .restored, .registry,
      .claimCode:
      false
    }
  }

  /// What there is to type where the one at `path` is damaged.
  func remedy(_ path: String) -> String {
    switch self {
    case .key: "put a copy of it back, or become a new client: rm \(path)"
    case .group: "put a copy of it back, or join again with an invite: rm \(path)"
    case .options:
      "put a copy of it back, or start with all options that you want once more, and --fresh"
    case .shares: "put a copy of it back, or share nothing in place: rm \(path)"
    case .keeps: "put a copy of it back, or keep nothing of others: rm \(path)"
    case .vault:
      "put a copy of it back; without one everybody must be approved again: rm \(path)"
    case .registry:
      "put a copy of it back; without one the clients are known by what the master says: rm \(path)"
    case .claimCode: "have the hub make another: rm \(path)"
    case .journal: "the next start sets it aside and rebuilds the list from the members"
    case .restored:
      "put a copy of it back; without one `fsharectl members` says no more why somebody is out: rm \(path)"
    case .name: "the next start takes the machine's name: fsharectl name NEWNAME"
    case .incarnation: "the next start makes it anew from the clock"
    case .index: "the next start makes it anew; others fetch again what they read"
    case .targets: "the next start makes it anew, and sets aside what was being copied in"
    case .cacheKey: "the next start makes it anew, and empties the disk cache"
    case .notices: "the next start makes it anew, and says once more what is said once"
    case .browsers: "the next start makes it anew; browsers are let in again: fsharectl window"
    case .guests: "the next start makes it anew; guests need other links: fsharectl guest"
    case .listKey: "the next start makes it anew, and takes the list anew"
    case .numberKey:
      "the next start makes it anew; backups then take others' files for new ones"
    }
  }
}
