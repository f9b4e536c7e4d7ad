import Crypto
package import Protocol
import Synchronization

/// Bodies of messages: `UInt32 generation ‖ 12 bytes nonce ‖ AES-256-GCM ciphertext ‖ 16 bytes
/// tag`.
///
/// What the hub must see of a message (opcode, order, sender, transfer, cursors) is bound to its
/// body as associated data: it can neither change it nor put a body under another head. What is for
/// everyone is sealed with the group's key; what a member and the master say to each other, with
/// theirs.
extension Sealer {
  /// The message with its body sealed, where it has one. `sender`: who says it, by public id;
  /// `peer`: for the master, whom it is for, if it is for one. Throws `.noKey`.
  package func seal(
    _ message: Message, from sender: PublicID, for peer: PublicID = .master
  ) throws(SealFault) -> Message {
    guard var body = message.body else { return message }
    let key = try latest()
    let bound = Self.bound(message, sender, key.generation)
    if let ordered = message.ordered {
      // For the one whose proposal it answers: all others hold the same group key.
      let answered = ordered.transfer.counter > 0 ? pair(with: ordered.sender) : nil
      body += answered?.mark(bound + body) ?? [UInt8](repeating: 0, count: PairKey.markLength)
    }
    if case .everyone = message.audience { state.withLock { $0.bodies += 1 } }
    var generation = ByteWriter(reserving: 4)
    generation.put(key.generation)
    return message.replacingBody(
      SealCipher.sealed(
        body, under: try secret(of: message, key, with: peer), boundTo: bound,
        behind: generation.bytes))
  }

  /// The message with its body opened, where it has one: sealed under the latest generation and no
  /// other, as a message of `sender`: by the group, or, where it is for one alone, by that one.
  /// `me`: this member's number; an answer to it is the master's own, not just the group's.
  package func open(
    _ message: Message, from sender: PublicID, as me: PublicID? = nil
  ) throws(SealFault) -> Message {
    guard let body = message.body else { return message }
    let key = try latest()
    var reader = ByteReader(body)
    guard let generation = try? reader.uint32() else { throw .broken }
    guard generation == key.generation else { throw .generation(generation) }
    let bound = Self.bound(message, sender, generation)
    let secret = try secret(of: message, key, with: sender)
    guard var opened = SealCipher.opened(body.dropFirst(4), under: secret, boundTo: bound) else {
      throw .broken
    }
    if let ordered = message.ordered {
      guard opened.count >= PairKey.markLength else { throw .broken }
      let mark = opened.suffix(PairKey.markLength)
      opened.removeLast(PairKey.markLength)
      if ordered.sender == me, me != .master, ordered.transfer.counter > 0,
        pair(with: .master)?.isMarked(bound + opened, mark) != true
      {
        throw .notTheMaster
      }
    }
    return message.replacingBody(opened)
  }

  /// What the body of a message is sealed with. `peer`: whom this device talks with.
  private func secret(
    of message: Message, _ key: GroupKey, with peer: PublicID
  ) throws(SealFault) -> SymmetricKey {
    switch message.audience {
    case .everyone: return key.bodies
    case .master, .member:
      guard let pair = pair(with: peer) else { throw .noKey }
      if case .master = message.audience { return pair.toMaster }
      return pair.toMember
    }
  }

  /// Everything about the message but its body, encoded, and who says it.
  private static func bound(
    _ message: Message, _ sender: PublicID, _ generation: UInt32
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: 128)
    writer.put("fsharefs body 1")
    writer.put(generation)
    writer.put(sender)
    let head = message.replacingBody([])
    // What the master says to the hub goes on to everyone under another opcode.
    let said: Message =
      switch head {
      case .approveClient(let decision): .clientApproved(decision)
      case .disApproveClient(let decision): .clientDisApproved(decision)
      default: head
      }
    guard let bytes = try? said.encoded() else {
      preconditionFailure("a message without its body is short")
    }
    writer.putFixed(bytes, count: bytes.count)
    return writer.bytes
  }
}
