/// What a member asks the master to change: ADD_FILES, REMOVE_FILE, RENAME_FILE, UPDATE_NAME.
package struct Proposal: Equatable, Sendable {
  package let transfer: TransferID
  /// The sender's oldest counter that is not answered yet: with it a master that does not know the
  /// incarnation knows where to begin, and no transfer is overtaken by a later one.
  package let oldest: UInt64
  /// A `ProposedChange`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(transfer: TransferID, oldest: UInt64, body: [UInt8]) {
    self.transfer = transfer
    self.oldest = oldest
    self.body = body
  }
}

/// A change that the master accepted, at its place in the one order: FILES_ADDED, FILE_REMOVED,
/// FILE_RENAMED, NAME_UPDATED, CLIENT_RELEASED. To the member who asked it is the ack.
package struct Ordered: Equatable, Sendable {
  package let order: ListOrder
  /// Who asked for it; the master for a change of its own making.
  package let sender: PublicID
  package let transfer: TransferID
  /// The history behind it and a `Change`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(order: ListOrder, sender: PublicID, transfer: TransferID, body: [UInt8]) {
    self.order = order
    self.sender = sender
    self.transfer = transfer
    self.body = body
  }
}

/// APPROVE_CLIENT and DIS_APPROVE_CLIENT, and what everyone hears of them.
package struct Decision: Equatable, Sendable {
  package let order: ListOrder
  package let publicID: PublicID
  /// The record's generation, for the hub, which cannot open the body.
  package let generation: UInt32
  /// The history behind it and a `MemberRecord`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(order: ListOrder, publicID: PublicID, generation: UInt32 = 0, body: [UInt8]) {
    self.order = order
    self.publicID = publicID
    self.generation = generation
    self.body = body
  }
}

/// How far a replica has come: everything up to `order`, and of the change after it the first
/// `offset` parts.
package struct ListCursor: Equatable, Sendable {
  package let order: ListOrder
  package let offset: UInt32
  /// In a run of pages that takes the whole list anew: the head of the list when the run began;
  /// else 0. Such a run needs no word of what was removed before.
  package let began: UInt64
  /// Names the question, so that no answer to an earlier one, or to somebody else's, passes for
  /// this one's.
  package let question: TransferID
  package init(
    order: ListOrder, offset: UInt32, began: UInt64,
    question: TransferID = TransferID(incarnation: 0, counter: 0)
  ) {
    self.order = order
    self.offset = offset
    self.began = began
    self.question = question
  }
  /// Nothing seen yet.
  package static let start = ListCursor(order: .none, offset: 0, began: 0)
}

/// ASK_FILES: a member asks for what follows its cursor.
package struct ListQuestion: Equatable, Sendable {
  package let cursor: ListCursor
  /// The `ListMark` that the cursor stands on, encoded; sealed on its way.
  package var body: [UInt8]
  package init(cursor: ListCursor, body: [UInt8]) {
    self.cursor = cursor
    self.body = body
  }

  /// A question of somebody who has seen `mark`: the place of the cursor, or, within a run of
  /// pages, the head of the list that the last of them was taken from.
  package init(cursor: ListCursor, mark: ListMark) {
    var writer = ByteWriter(reserving: ListMark.length)
    writer.put(mark)
    self.init(cursor: cursor, body: writer.bytes)
  }

  /// The mark in the opened body.
  package func mark() throws(DecodingFault) -> ListMark {
    var reader = ByteReader(body)
    let mark = try reader.listMark()
    try reader.finish()
    return mark
  }
}

/// FILES_PAGE: a part of what changed behind the cursor of an ASK_FILES.
package struct FilesPage: Equatable, Sendable {
  /// The cursor that was asked with. An answer may outlive its question: the hub gives it to the
  /// asker's next connection, maybe of its next process, and what follows another cursor is no use
  /// there.
  package let after: ListCursor
  /// Where the asker is once it has taken the page.
  package let next: ListCursor
  /// Whether to ask again from `next`; if not, `next.order` is the head of the list.
  package let more: Bool
  /// Whether this page begins the whole list anew: what no page of this run names is no longer
  /// there.
  package let restarts: Bool
  /// A `PageBody`, encoded; sealed on its way.
  package var body: [UInt8]
  package init(after: ListCursor, next: ListCursor, more: Bool, restarts: Bool, body: [UInt8]) {
    self.after = after
    self.next = next
    self.more = more
    self.restarts = restarts
    self.body = body
  }
}
