/// LIST_HEAD: how far the list has come, in the master's signed word. It comes soon after every
/// change, for all since the last, and every half minute where nothing changes.
///
/// A change is sealed with the group's key, which every member has: that it is the master's, and the
/// only one at its place, a member knows by this, or by the mark of an answer to itself.
package struct ListHead: Equatable, Sendable {
  package let order: ListOrder
  /// A `HeadProof`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(order: ListOrder, body: [UInt8]) {
    self.order = order
    self.body = body
  }

  /// Bytes of the plain body.
  package static let bodyLength = History.length + 2 + MemberRecord.signatureLength

  /// What is in the opened body.
  package func proof() throws(DecodingFault) -> HeadProof {
    var reader = ByteReader(body)
    let history = try reader.history()
    let version = try reader.uint16()
    let signature = try reader.fixed(MemberRecord.signatureLength)
    try reader.finish()
    return HeadProof(order: order, history: history, version: version, signature: signature)
  }
}

/// The plain content of a LIST_HEAD.
package struct HeadProof: Equatable, Sendable {
  package let order: ListOrder
  /// Of the list up to there.
  package let history: History
  /// The version of the protocol in which the master writes.
  package let version: UInt16
  /// The master's, of `signedBytes`.
  package let signature: [UInt8]

  package init(order: ListOrder, history: History, version: UInt16, signature: [UInt8]) {
    self.order = order
    self.history = history
    self.version = version
    self.signature = signature
  }

  /// What the master signs.
  package static func signedBytes(
    _ order: ListOrder, _ history: History, version: UInt16
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: 96)
    writer.put("fsharefs list head 1")
    writer.put(version)
    writer.put(order)
    writer.put(history)
    return writer.bytes
  }

  package var signedBytes: [UInt8] { Self.signedBytes(order, history, version: version) }

  /// The message that says it.
  package var message: Message {
    var writer = ByteWriter(reserving: ListHead.bodyLength)
    writer.put(history)
    writer.put(version)
    writer.putFixed(signature, count: MemberRecord.signatureLength)
    return .listHead(ListHead(order: order, body: writer.bytes))
  }
}
