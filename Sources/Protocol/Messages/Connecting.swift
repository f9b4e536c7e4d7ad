/// What the hub says first on every control connection.
package struct Hello: Equatable, Sendable {
  /// What the hub speaks; the two speak the highest that both do.
  package let versions: ProtocolVersions
  /// Bit set of optional features; unknown bits are ignored.
  package let features: UInt64
  /// 32 random bytes that the registration signs.
  package let challenge: [UInt8]
  package init(
    versions: ProtocolVersions = .spoken, features: UInt64 = 0, challenge: [UInt8]
  ) {
    self.versions = versions
    self.features = features
    self.challenge = challenge
  }
  /// Bytes of a challenge.
  package static let challengeLength = 32
  /// The hub passes on where its members listen for each other.
  package static let passesAddresses: UInt64 = 1
}

/// Why the hub ends a connection. The raw values are the wire's.
package enum RefusalCode: UInt16, Sendable {
  case protocolError = 1
  case badProof = 2
  case notTheMaster = 3
  case displaced = 4
  case disapproved = 5
  case tooManyClients = 6
  /// This hub has no master yet, and the claim code is not its own.
  case claimNeeded = 7
}

/// The hub's last word on a connection that it closes.
package struct Refused: Equatable, Sendable {
  package let code: RefusalCode
  package let reason: String
  package init(code: RefusalCode, reason: String) {
    self.code = code
    self.reason = reason
  }
}

/// MASTER_APP_REGISTER and CLIENT_REGISTER: who asks to be let in, with the proof that it holds the
/// key.
package struct Register: Equatable, Sendable {
  package let key: DeviceKey
  package let incarnation: Incarnation
  /// The latest generation of the group key that it ever had; 0: none. A master that was set back
  /// learns from it.
  package let reached: UInt32
  /// What its sender speaks.
  package let versions: ProtocolVersions
  package let name: DeviceName
  /// Operating system and version, for the approver's eyes.
  package let system: String
  /// Master only: the proof that it has the hub's one-time claim code, made for this connection;
  /// else empty.
  package let claim: [UInt8]
  /// Ed25519 signature of `signedBytes`, 64 bytes.
  package let proof: [UInt8]

  package init(
    key: DeviceKey, incarnation: Incarnation, reached: UInt32 = 0,
    versions: ProtocolVersions = .spoken, name: DeviceName, system: String, claim: [UInt8],
    proof: [UInt8]
  ) {
    self.versions = versions
    self.key = key
    self.incarnation = incarnation
    self.reached = reached
    self.name = name
    self.system = system
    self.claim = claim
    self.proof = proof
  }

  /// Bytes of a proof.
  package static let proofLength = 64
  /// Bytes of the proof of a claim code.
  package static let claimLimit = 32

  /// What the proof signs: purpose, challenge, the hub's TLS key as its sender sees it, both keys,
  /// the incarnation, the generation that was reached, and what the sender speaks. `channel`:
  /// SHA-256 of that key, empty without TLS; so that no hub can pass a proof on to another hub as
  /// its own.
  package static func signedBytes(
    asMaster: Bool, challenge: [UInt8], channel: [UInt8], key: DeviceKey, incarnation: Incarnation,
    reached: UInt32, versions: ProtocolVersions
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: 160)
    writer.put(asMaster ? "fsharefs master register 2" : "fsharefs client register 2")
    writer.putBytes16(challenge)
    writer.putBytes16(channel)
    writer.putBytes16(key.signing)
    writer.putBytes16(key.agreement)
    writer.put(incarnation)
    writer.put(reached)
    writer.put(versions)
    return writer.bytes
  }
}

/// The hub's record of a client's admission. The raw values are the wire's.
package enum Admission: UInt8, Sendable {
  case waiting = 0
  case approved = 1
  case disapproved = 2
}

/// Where a client is, in the hub's word. The raw values are the wire's.
package enum Presence: UInt8, Sendable {
  case online = 0
  case away = 1
  case gone = 2
}

/// What the hub tells the master about one client.
package struct ClientRecord: Equatable, Sendable {
  package let publicID: PublicID
  package let key: DeviceKey
  package let name: DeviceName
  package let system: String
  /// The numeric address that it last registered from.
  package let address: String
  /// When the hub first met its key, seconds since 1970.
  package let firstSeen: Int64
  /// Generation of the group key that the hub keeps for it, wrapped, or, of one that is out, that
  /// it was put out under; 0: none.
  package let generation: UInt32
  /// The latest generation that it ever had, in its own word; 0: none.
  package let reached: UInt32
  /// What it spoke when it last registered.
  package let versions: ProtocolVersions
  package var admission: Admission
  package var presence: Presence
  package init(
    publicID: PublicID, key: DeviceKey, name: DeviceName, system: String, address: String = "",
    firstSeen: Int64 = 0, generation: UInt32 = 0, reached: UInt32 = 0,
    versions: ProtocolVersions = .first, admission: Admission, presence: Presence
  ) {
    self.versions = versions
    self.publicID = publicID
    self.key = key
    self.name = name
    self.system = system
    self.address = address
    self.firstSeen = firstSeen
    self.generation = generation
    self.reached = reached
    self.admission = admission
    self.presence = presence
  }
}

extension ClientRecord {
  /// Of the byte of the admission: versions end the record. Registries of before lack them.
  static let versionedBit: UInt8 = 0x80
}

/// The clients known to the hub, in as many messages as they need; only the last one ends the
/// registration.
package struct MasterRegisterAck: Equatable, Sendable {
  package let clients: [ClientRecord]
  package let isLast: Bool
  /// Whether another process with the same key was ended by this registration.
  package let displaced: Bool
  package init(clients: [ClientRecord], isLast: Bool, displaced: Bool = false) {
    self.clients = clients
    self.isLast = isLast
    self.displaced = displaced
  }
}

/// The hub's answer to CLIENT_REGISTER.
package struct ClientRegisterAck: Equatable, Sendable {
  package let publicID: PublicID
  package let admission: Admission
  /// Whether another process with the same key was ended by this registration.
  package let displaced: Bool
  /// The master's key, in the hub's word; nil where the hub has no master yet.
  package let master: DeviceKey?
  package init(
    publicID: PublicID, admission: Admission, displaced: Bool = false, master: DeviceKey? = nil
  ) {
    self.publicID = publicID
    self.admission = admission
    self.displaced = displaced
    self.master = master
  }
}

/// One-time authenticators of the two bulk streams of this control session.
package struct BulkTickets: Equatable, Sendable {
  package let down: [UInt8]
  package let up: [UInt8]
  /// What the frames of the two streams are marked with; nil where both ends are on one machine.
  package let tags: TagKeys?
  package init(down: [UInt8], up: [UInt8], tags: TagKeys? = nil) {
    self.down = down
    self.up = up
    self.tags = tags
  }
  /// Bytes of a ticket.
  package static let length = 32
  /// Bytes of a key of tags.
  package static let keyLength = 16

  package struct TagKeys: Equatable, Sendable {
    package let down: [UInt8]
    package let up: [UInt8]
    package init(down: [UInt8], up: [UInt8]) {
      self.down = down
      self.up = up
    }
  }
}

/// The group key, wrapped by the master for one member: GROUP_KEY. The hub keeps the latest for
/// each approved client, so that one that comes back can read while the master is away.
package struct GroupKeyMessage: Equatable, Sendable {
  package let publicID: PublicID
  /// Counts from 1; each disapproval begins a new one.
  package let generation: UInt32
  /// An HPKE encapsulation and ciphertext.
  package let wrapped: [UInt8]
  package init(publicID: PublicID, generation: UInt32, wrapped: [UInt8]) {
    self.publicID = publicID
    self.generation = generation
    self.wrapped = wrapped
  }
  /// Bytes of the longest wrapping.
  package static let wrappedLimit = 256
}
