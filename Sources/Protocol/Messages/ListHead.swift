/// LIST_HEAD: how far the list has come, in the master's signed word. It comes soon after every
/// change, for all since the last, and every half minute where nothing changes.
///
/// A change is sealed with the group's key, which every member has: that it is the master's, and
/// the only one at its place, a member knows by this, or by the mark of an answer to itself.
package struct ListHead: Equatable, Sendable {
  package let order: ListOrder
  /// A `HeadProof`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(order: ListOrder, body: [UInt8]) {
    self.order = order
    self.body = body
  }

  /// Bytes of the plain body.
  package static let bodyLength = History.length + 16 + 2 + MemberRecord.signatureLength

  /// What is in the opened body.
  package func proof() throws(DecodingFault) -> HeadProof {
    var reader = ByteReader(body)
    let head = HeadProof(
      order: order, history: try reader.history(), beat: try reader.transferID(),
      version: try reader.uint16(),
      signature: try reader.fixed(MemberRecord.signatureLength))
    try reader.finish()
    return head
  }
}

/// The plain content of a LIST_HEAD.
package struct HeadProof: Equatable, Sendable {
  package let order: ListOrder
  /// Of the list up to there.
  package let history: History
  /// Names this word of the master among all that it ever gave: its run, and how many it gave
  /// before in that. An earlier one said again is no sign of life.
  package let beat: TransferID
  /// The version of the protocol in which the master writes.
  package let version: UInt16
  /// The master's, of `signedBytes`.
  package let signature: [UInt8]

  package init(
    order: ListOrder, history: History, beat: TransferID, version: UInt16, signature: [UInt8]
  ) {
    self.order = order
    self.history = history
    self.beat = beat
    self.version = version
    self.signature = signature
  }

  /// What the master says, signed.
  package init(
    order: ListOrder, history: History, beat: TransferID, version: UInt16,
    signedBy sign: ([UInt8]) -> [UInt8]
  ) {
    let plain = HeadProof(
      order: order, history: history, beat: beat, version: version, signature: [])
    self.init(
      order: order, history: history, beat: beat, version: version,
      signature: sign(plain.signedBytes))
  }

  /// What the master signs.
  package var signedBytes: [UInt8] {
    var writer = ByteWriter(reserving: 112)
    writer.put("fsharefs list head 1")
    writer.put(version)
    writer.put(order)
    writer.put(history)
    writer.put(beat)
    return writer.bytes
  }

  /// The message that says it.
  package var message: Message {
    var writer = ByteWriter(reserving: ListHead.bodyLength)
    writer.put(history)
    writer.put(beat)
    writer.put(version)
    writer.putFixed(signature, count: MemberRecord.signatureLength)
    return .listHead(ListHead(order: order, body: writer.bytes))
  }
}
