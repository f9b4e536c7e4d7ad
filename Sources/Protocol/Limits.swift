/// Every limit of the wire, each with its reason. A decoder refuses what is beyond them before it
/// allocates.
package enum Limits {
  /// Bytes of one control message: small, so that a message never holds up the next for long.
  package static let controlMessage = 131_072
  /// Bytes of the plain body of one list page or ADD_FILES: leaves room for its envelope and its
  /// seal.
  package static let listBody = 65_536
  /// Bytes of the entries that one FILES_ADDED names at most: with as many refusals as one
  /// ADD_FILES can bring, its envelope and its seal, it still is a control message. More than any
  /// honest ADD_FILES has.
  package static let answerBody = 98_304
  /// Entries in one ADD_FILES, so that the master's answer to one transfer stays small.
  package static let entriesPerTransfer = 1_000
  /// Bytes of one leaf of a file, the unit of checking, sealing and caching.
  package static let leaf = 131_072
  /// `log2` of `leaf`: the scale of a frame that carries a whole leaf.
  package static let leafScale: UInt8 = 17
  /// Smallest piece that a random reader may ask for: 4 KiB.
  package static let smallestScale: UInt8 = 12
  /// Bytes that a seal may add to a leaf (nonce and tag, with room for another suite).
  package static let sealOverhead = 64
  /// Bytes of a bulk frame after its length field: header, leaf, seal.
  package static let bulkFrame = BulkFrame.headerLength + leaf + sealOverhead
  /// Bytes of one part of a path, as in Linux (`NAME_MAX`).
  package static let name = 255
  /// Bytes of a path, as in Linux (`PATH_MAX` less the terminating zero).
  package static let path = 4_095
  /// Bytes of a device name.
  package static let deviceName = 64
  /// Bytes of the description of a member's system.
  package static let system = 64
  /// Bytes of a client's numeric address.
  package static let address = 64
  /// Bytes of a reason given in words.
  package static let reason = 256
  /// Leaves that one REQUEST_CHUNK may ask for: 8 MiB.
  package static let leavesPerRequest: UInt32 = 64
  /// Bytes of the largest file: more than any file system of Linux holds, and no sum overflows.
  package static let fileSize: UInt64 = 1 << 62
  /// Transfers that a member keeps unanswered at a time.
  package static let transfersInFlight = 32
  /// Answers that the master keeps per member for a second copy; above `transfersInFlight`.
  package static let answersKept = 64
  /// Clients in one MASTER_APP_REGISTER_ACK.
  package static let clientsPerAck = 256
  /// Public ids in one presence message.
  package static let presencePerMessage = 4_096
}
