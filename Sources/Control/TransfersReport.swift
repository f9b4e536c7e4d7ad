/// The answer to `transfers`: what is being read and uploaded now.
package struct TransfersReport: Codable, Equatable, Sendable {
  /// One file on its way.
  package struct Transfer: Codable, Equatable, Sendable {
    /// Which way it goes.
    package enum Direction: String, Codable, Sendable {
      case reading, uploading
    }

    /// Whether it moves, and if not, why.
    package enum State: String, Codable, Sendable {
      case moving, paused
      /// Nothing came for some seconds, though somebody waits for it.
      case waiting
      /// Its owner is not connected.
      case ownerAway
    }

    /// Which way it goes.
    package var direction: Direction
    /// Whether it moves.
    package var state: State
    /// The path in the share: hostile until escaped (`TerminalText`).
    package var path: String
    /// The name of its owner, chosen by itself: hostile until escaped.
    package var owner: String
    /// The public id of its owner.
    package var ownerID: UInt32
    /// Who reads it: this member, or for an upload the group; the hub does not tell who.
    package var reader: String
    /// Bytes that came or went since it began.
    package var bytes: UInt64
    /// Bytes of the file.
    package var size: UInt64
    /// Bytes per second over the last seconds.
    package var rate: UInt64
    /// How long the rest takes at that rate; nil where nobody can tell.
    package var secondsLeft: UInt64?
    /// The way that its bytes take.
    package var route: String

    /// A transfer with every field given; the time left follows from the others.
    package init(
      direction: Direction, state: State, path: String, owner: String, ownerID: UInt32,
      reader: String, bytes: UInt64, size: UInt64, rate: UInt64, route: String
    ) {
      self.direction = direction
      self.state = state
      self.path = path
      self.owner = owner
      self.ownerID = ownerID
      self.reader = reader
      self.bytes = bytes
      self.size = size
      self.rate = rate
      self.route = route
      if state == .moving, rate > 0, bytes <= size { secondsLeft = (size - bytes) / rate }
    }
  }

  /// The ways that bytes take, in general.
  package var route: String
  /// Reads first, each kind by path.
  package var transfers: [Transfer]

  /// A report, in the order given.
  package init(route: String, transfers: [Transfer]) {
    self.route = route
    self.transfers = transfers
  }
}
