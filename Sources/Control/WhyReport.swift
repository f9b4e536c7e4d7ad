/// The answer to `why`: where something is, what it waits for, what limits it.
package struct WhyReport: Codable, Equatable, Sendable {
  /// What it is.
  package enum Kind: String, Codable, Sendable {
    case file, folder, link
  }

  /// What is known of somebody else's file.
  package struct Remote: Codable, Equatable, Sendable {
    /// Whether reads of it are paused.
    package var isPaused = false
    /// Of a folder, whether only its owner may put something into it.
    package var isClosed = false
    /// Whether its owner is reachable, in the hub's word.
    package var presence: MemberReport.Presence = .online
    /// Since when, seconds since 1970; nil where it was so when this process came.
    package var presenceSince: Int64?
    /// Leaves of it, in all and in memory.
    package var leaves: UInt64 = 0
    package var leavesCached = 0
    /// Handles by which programs have it open.
    package var handles = 0
    /// Reads that wait for leaves, and the seconds that the first of them has left; nil while it
    /// has none.
    package var readsWaiting = 0
    package var secondsLeft: Int?
    /// Leaves on their way, put off because its owner or the hub was busy, and not asked for yet.
    package var leavesAsked = 0
    package var leavesPostponed = 0
    package var leavesNotAsked = 0
    /// Bytes that are fetched ahead of a reader at most.
    package var window: UInt64 = 0
    /// Bytes per second over the last seconds; nil where none came lately.
    package var rate: UInt64?
    /// Whether so much is on its way that nothing is fetched ahead.
    package var isBudgetFull = false
    /// Whether the streams that carry leaves are open.
    package var isLinkReady = true
    /// Of a file, the way that its bytes take, and why it is no line.
    package var route: String?

    /// Nothing is known yet.
    package init() {}
  }

  /// What is known of an own file.
  package struct Own: Codable, Equatable, Sendable {
    /// Whether it lies beside its place still, until the group has it.
    package var isStaged = false
    /// Whether the group was told of it, and whether it has taken its latest state.
    package var isAnnounced = false
    package var isAcked = false
    /// Whether it was written since it was last announced.
    package var isDirty = false
    /// Handles by which programs have it open, and those of them that may write.
    package var handles = 0
    package var writers = 0
    /// Whether uploads are paused.
    package var uploadsPaused = false
    /// Bytes per second that it is uploaded with now; nil where it is not.
    package var rate: UInt64?

    /// Nothing is known yet.
    package init() {}
  }

  /// What lies in the own folder there, or is kept for it, and is not shared.
  package struct Unshared: Codable, Equatable, Sendable {
    /// The path of what is not shared: the one that was asked for, or of a folder above it. Hostile
    /// until escaped.
    package var path: String
    /// Why, in words that follow `not shared: `.
    package var reason: String
    /// Where the file lies that could not be moved into place; nil for what lies at its path.
    package var keptAs: String?

    /// One with every field given.
    package init(path: String, reason: String, keptAs: String?) {
      self.path = path
      self.reason = reason
      self.keptAs = keptAs
    }
  }

  /// The path in the share: hostile until escaped (`TerminalText`).
  package var path: String
  /// What it is.
  package var kind: Kind
  /// The name of its owner, chosen by itself: hostile until escaped. Empty for a folder of nobody.
  package var owner: String
  /// The public id of its owner; nil for a folder of nobody's own.
  package var ownerID: UInt32?
  /// Bytes of the content, and the version of it that is known.
  package var size: UInt64
  package var version: String
  /// The hub's address, and whether it is connected.
  package var hub: String
  package var hubConnected: Bool
  /// Whether the master can be reached.
  package var masterPresent: Bool
  /// For what is somebody else's.
  package var remote: Remote?
  /// For what is one's own.
  package var own: Own?
  /// For what is one's own and not shared; beside `remote` where somebody else's entry shows at its
  /// path.
  package var unshared: Unshared?

  /// Of an own folder, who else has something in it (hostile until escaped): it can be renamed and
  /// removed by nobody.
  package var alsoOf: [String]

  /// A report with every field given.
  package init(
    path: String, kind: Kind, owner: String, ownerID: UInt32?, size: UInt64, version: String,
    hub: String, hubConnected: Bool, masterPresent: Bool, remote: Remote?, own: Own?,
    alsoOf: [String] = []
  ) {
    self.path = path
    self.kind = kind
    self.owner = owner
    self.ownerID = ownerID
    self.size = size
    self.version = version
    self.hub = hub
    self.hubConnected = hubConnected
    self.masterPresent = masterPresent
    self.remote = remote
    self.own = own
    self.alsoOf = alsoOf
  }
}
