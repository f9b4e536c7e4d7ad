/// The answer to `status`: what one running `fsharefs` is and does.
package struct StatusReport: Codable, Equatable, Sendable {
  /// What the process is to its group.
  package enum Role: String, Codable, Sendable {
    case host, master, client
  }

  /// What state the mount is in.
  package enum State: String, Codable, Sendable {
    case connecting, waiting, live, reconnecting, disapproved, left
  }

  /// One setting, as it is in force.
  package struct Setting: Codable, Equatable, Sendable {
    /// Where a setting's value comes from.
    package enum Source: String, Codable, Sendable {
      case option, environment, configuration, kept, `default`
    }

    /// The option's name, without dashes.
    package var name: String
    /// Its value, with the unit.
    package var value: String
    /// Where the value comes from.
    package var source: Source

    /// A setting.
    package init(name: String, value: String, source: Source) {
      self.name = name
      self.value = value
      self.source = source
    }
  }

  /// What the process is to its group.
  package var role: Role
  /// What state the mount is in.
  package var state: State
  /// This member's public id; nil until the hub gave one.
  package var publicID: UInt32?
  /// This member's name.
  package var name: String
  /// The six words of this member's key, by which the master's user knows it.
  package var words: String
  /// The hub's address.
  package var hub: String
  /// Whether the control plane to the hub is up.
  package var hubConnected: Bool
  /// Whether the hub says that the master is there.
  package var masterPresent: Bool
  /// Where the share is mounted.
  package var mountpoint: String
  /// The folder of the files that this member shares.
  package var ownFolder: String
  /// The folder of keys, index and this socket.
  package var stateFolder: String
  /// The epoch of the list.
  package var epoch: UInt64
  /// The place in the list's order up to which this member has seen it.
  package var seq: UInt64
  /// Entries of the whole list.
  package var entries: Int
  /// Entries that this member owns.
  package var ownEntries: Int
  /// Own changes that are not acked yet.
  package var pendingChanges: Int
  /// Members that are online, this one included.
  package var membersOnline: Int
  /// Bytes in the leaf cache.
  package var leafCacheBytes: Int
  /// Bytes that the leaf cache may hold.
  package var leafCacheLimit: Int
  /// Bytes in the disk cache, and bytes that it may hold; nil where there is none.
  package var diskCacheBytes: Int?
  package var diskCacheLimit: Int?
  /// Reads of the mount that wait for leaves.
  package var readsWaiting: Int
  /// Leaves that wait to be uploaded.
  package var uploadsQueued: Int
  /// Paths of which reads are paused, `/` for everything: hostile until escaped (`TerminalText`).
  package var paused: [String] = []
  /// Whether uploads are paused.
  package var uploadsPaused = false
  /// Members to which a line stands, and the port at which this one listens for them; nil: at none.
  package var lines = 0
  package var linePort: UInt16?
  /// Bytes per second that go to others, and come from them, at most; nil: no limit.
  package var uploadLimit: UInt64?
  package var downloadLimit: UInt64?
  /// Names of the own folder that are there and not shared; files that could not be moved into
  /// place.
  package var notShared = 0
  package var setAside = 0
  /// Own directories that are still to be looked into since the start; nil once all were.
  package var foldersToScan: Int?
  /// What became of a master that was set back to an earlier state; nil for everyone else.
  package var restoration: String?
  /// How old the list may be, in seconds: no change that was made before is missing; nil where the
  /// master has not been asked yet, and for the master itself.
  package var listAge: Int?
  /// What was last found of a list that was passed on otherwise than the master made it; nil where
  /// nothing was.
  package var listFault: String?
  /// Every setting that is in force.
  package var settings: [Setting]
  /// The program's version.
  package var version: String

  /// A report with every field given, without a disk cache; nothing is paused.
  package init(
    role: Role, state: State, publicID: UInt32?, name: String, words: String, hub: String,
    hubConnected: Bool, masterPresent: Bool, mountpoint: String, ownFolder: String,
    stateFolder: String,
    epoch: UInt64, seq: UInt64, entries: Int, ownEntries: Int, pendingChanges: Int,
    membersOnline: Int, leafCacheBytes: Int, leafCacheLimit: Int, readsWaiting: Int,
    uploadsQueued: Int, settings: [Setting], version: String
  ) {
    self.role = role
    self.state = state
    self.publicID = publicID
    self.name = name
    self.words = words
    self.hub = hub
    self.hubConnected = hubConnected
    self.masterPresent = masterPresent
    self.mountpoint = mountpoint
    self.ownFolder = ownFolder
    self.stateFolder = stateFolder
    self.epoch = epoch
    self.seq = seq
    self.entries = entries
    self.ownEntries = ownEntries
    self.pendingChanges = pendingChanges
    self.membersOnline = membersOnline
    self.leafCacheBytes = leafCacheBytes
    self.leafCacheLimit = leafCacheLimit
    self.readsWaiting = readsWaiting
    self.uploadsQueued = uploadsQueued
    self.settings = settings
    self.version = version
  }
}
