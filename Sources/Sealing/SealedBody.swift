package import Protocol

/// Bodies of messages: `UInt32 generation ‖ 12 bytes nonce ‖ AES-256-GCM ciphertext ‖ 16 bytes
/// tag`.
///
/// What the hub must see of a message (opcode, order, sender, transfer, cursors) is bound to its
/// body as associated data: it can neither change it nor put a body under another head.
extension Sealer {
  /// The message with its body sealed, where it has one. `sender`: who says it, by public id.
  /// Throws `.noKey`.
  package func seal(_ message: Message, from sender: PublicID) throws(SealFault) -> Message {
    guard let body = message.body else { return message }
    let key = try latest()
    var generation = ByteWriter(reserving: 4)
    generation.put(key.generation)
    return message.replacingBody(
      SealCipher.sealed(
        body, under: key.bodies, boundTo: Self.bound(message, sender, key.generation),
        behind: generation.bytes))
  }

  /// The message with its body opened, where it has one: sealed under the latest generation and no
  /// other, by a member of the group, as a message of `sender`.
  package func open(_ message: Message, from sender: PublicID) throws(SealFault) -> Message {
    guard let body = message.body else { return message }
    let key = try latest()
    var reader = ByteReader(body)
    guard let generation = try? reader.uint32() else { throw .broken }
    guard generation == key.generation else { throw .generation(generation) }
    let opened = SealCipher.opened(
      body.dropFirst(4), under: key.bodies, boundTo: Self.bound(message, sender, generation))
    guard let opened else { throw .broken }
    return message.replacingBody(opened)
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
