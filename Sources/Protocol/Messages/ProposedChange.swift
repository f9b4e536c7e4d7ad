/// The plain body of a `Proposal`: what a member wants changed.
package enum ProposedChange: Equatable, Sendable {
  /// New entries, and new states of entries that the sender already has in the list.
  /// `reclaims`: the list had them before, at these paths; they go before new claims when a lost
  /// journal is rebuilt.
  case add([Entry], reclaims: Bool)
  case remove(EntryID)
  case rename(EntryID, to: SharePath)
  case name(DeviceName)

  /// The message that carries it. Requires: an `add` within `Limits.listBody`.
  package func message(_ transfer: TransferID, oldest: UInt64) -> Message {
    var writer = ByteWriter(reserving: 256)
    switch self {
    case .add(let entries, let reclaims):
      writer.put(reclaims)
      writer.put(UInt32(entries.count))
      for entry in entries { entry.encode(into: &writer) }
      return .addFiles(Proposal(transfer: transfer, oldest: oldest, body: writer.bytes))
    case .remove(let entry):
      writer.put(entry)
      return .removeFile(Proposal(transfer: transfer, oldest: oldest, body: writer.bytes))
    case .rename(let entry, let path):
      writer.put(entry)
      writer.putBytes16(path.bytes)
      return .renameFile(Proposal(transfer: transfer, oldest: oldest, body: writer.bytes))
    case .name(let name):
      writer.put(name.text)
      return .updateName(Proposal(transfer: transfer, oldest: oldest, body: writer.bytes))
    }
  }

  /// What an opened proposal wants; nil for any other message. `impossible`: entries that nobody
  /// could take. Throws where nothing at all can be told.
  package static func decode(
    _ message: Message
  ) throws(DecodingFault) -> (proposal: Proposal, change: ProposedChange, impossible: [EntryID])? {
    switch message {
    case .addFiles(let proposal):
      var reader = ByteReader(proposal.body)
      let reclaims = try reader.bool()
      let count = try reader.count(of: 50, atMost: Limits.entriesPerTransfer)
      var entries: [Entry] = []
      var impossible: [EntryID] = []
      entries.reserveCapacity(count)
      for _ in 0..<count {
        switch try Entry.Decoded(from: &reader) {
        case .entry(let entry): entries.append(entry)
        case .impossible(let id, _): impossible.append(id)
        }
      }
      try reader.finish()
      return (proposal, .add(entries, reclaims: reclaims), impossible)
    case .removeFile(let proposal):
      var reader = ByteReader(proposal.body)
      let entry = try reader.randomID()
      try reader.finish()
      return (proposal, .remove(entry), [])
    case .renameFile(let proposal):
      var reader = ByteReader(proposal.body)
      let entry = try reader.randomID()
      let path = try reader.path()
      try reader.finish()
      return (proposal, .rename(entry, to: path), [])
    case .updateName(let proposal):
      var reader = ByteReader(proposal.body)
      let name = try reader.deviceName()
      try reader.finish()
      return (proposal, .name(name), [])
    default: return nil
    }
  }
}
