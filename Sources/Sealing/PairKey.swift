import Crypto
package import Protocol

/// What a member and the master have together and nobody else has: from the X25519 halves of both
/// their private ids.
///
/// What the two say to each other is sealed under it, so that neither the hub nor another member
/// can say it in their names; and what everyone hears as the answer to one member carries a mark
/// for that one.
package struct PairKey: Sendable {
  /// Seals what the member says to the master.
  let toMaster: SymmetricKey
  /// Seals what the master says to the member alone.
  let toMember: SymmetricKey
  /// Marks what the master says to everyone in answer to the member.
  let answers: SymmetricKey

  /// nil where `other` is no usable key. `isMaster`: whether this device is the master.
  package init?(_ device: DeviceIdentity, with other: DeviceKey, isMaster: Bool) {
    guard let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: other.agreement),
      let shared = device.agreement.secret(with: key)
    else { return nil }
    let (member, master) = isMaster ? (other, device.key) : (device.key, other)
    func derive(_ what: String) -> SymmetricKey {
      var info = ByteWriter(reserving: 192)
      info.put("fsharefs pair 1 \(what)")
      info.put(member)
      info.put(master)
      return shared.hkdfDerivedSymmetricKey(
        using: SHA256.self, salt: [UInt8](), sharedInfo: info.bytes, outputByteCount: 32)
    }
    toMaster = derive("to the master")
    toMember = derive("to the member")
    answers = derive("answers")
  }

  /// Bytes of a mark.
  static let markLength = 16

  /// The mark of an answer: the first half of an HMAC-SHA256.
  func mark(_ answer: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: answer, using: answers).prefix(Self.markLength))
  }

  /// Whether a mark is one of an answer; takes as long whatever it is.
  func isMarked(_ answer: [UInt8], _ mark: some Sequence<UInt8>) -> Bool {
    var difference: UInt8 = 0
    for (one, other) in zip(self.mark(answer), mark) { difference |= one ^ other }
    return difference == 0
  }
}

extension Message {
  /// Whether it is for its receiver alone, and whom it goes to then.
  enum Audience {
    case everyone
    case master
    case member
  }

  /// Who may open what it says.
  var audience: Audience {
    switch self {
    case .addFiles, .removeFile, .renameFile, .updateName, .askFiles, .clientsOut: .master
    case .changeRefused, .filesPage: .member
    default: .everyone
    }
  }

  /// A change as the master ordered it; nil for anything else.
  var ordered: Ordered? {
    switch self {
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      ordered
    default: nil
    }
  }
}
