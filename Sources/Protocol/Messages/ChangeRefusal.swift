/// CHANGE_REFUSED: the master takes nothing of a proposal, which so gets no place in the order.
package struct ChangeRefusal: Equatable, Sendable {
  package let transfer: TransferID
  /// A `Rejection`, one byte; sealed on its way.
  package var body: [UInt8]

  package init(transfer: TransferID, body: [UInt8]) {
    self.transfer = transfer
    self.body = body
  }

  package init(_ transfer: TransferID, _ reason: Rejection) {
    self.init(transfer: transfer, body: [reason.rawValue])
  }

  /// Why. Requires: an opened body. Throws where that says nothing.
  package func reason() throws(DecodingFault) -> Rejection {
    guard body.count == 1, let reason = Rejection(rawValue: body[0]) else {
      throw .invalid("rejection")
    }
    return reason
  }
}
