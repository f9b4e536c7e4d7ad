import Fuzzer
import Protocol
import Sealing

/// Bodies of messages about the list: sealed ones that nobody sealed, and plain ones of a hostile
/// member. The first byte chooses.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  guard let kind = bytes.first else { return 0 }
  let body = Array(bytes.dropFirst())
  let transfer = TransferID(incarnation: 1, counter: 1)
  let proposal = Proposal(transfer: transfer, oldest: 1, body: body)
  let ordered = Ordered(
    order: ListOrder(epoch: 1, seq: 1), sender: PublicID(1), transfer: transfer, body: body)
  let decision = Decision(order: ordered.order, publicID: PublicID(1), body: body)
  switch kind % 14 {
  case 0: page(body)
  case 1: _ = try? ProposedChange.decode(.addFiles(proposal))
  case 2: _ = try? ProposedChange.decode(.removeFile(proposal))
  case 3: _ = try? ProposedChange.decode(.renameFile(proposal))
  case 4: _ = try? ProposedChange.decode(.updateName(proposal))
  case 5: _ = try? OrderedChange.decode(.filesAdded(ordered))
  case 6: _ = try? OrderedChange.decode(.fileRemoved(ordered))
  case 7: _ = try? OrderedChange.decode(.fileRenamed(ordered))
  case 8: _ = try? OrderedChange.decode(.nameUpdated(ordered))
  case 9: _ = try? OrderedChange.decode(.clientApproved(decision))
  case 12: _ = try? ListQuestion(cursor: .start, body: body).mark()
  case 13: _ = try? ClientsOut(body: body).records()
  case 10: sealed(.filesAdded(ordered))
  default: leaf(body)
  }
  return 0
}

private func page(_ body: [UInt8]) {
  guard let page = try? PageBody(decoding: body) else { return }
  guard let copy = try? PageBody(decoding: page.encoded()) else {
    preconditionFailure("what was decoded can be encoded")
  }
  precondition(copy == page, "encoding loses nothing")
}

private func sealer() -> Sealer {
  guard let key = GroupKey(generation: 1, secret: [UInt8](repeating: 7, count: 32)) else {
    preconditionFailure("32 bytes are a secret")
  }
  let sealer = Sealer()
  precondition(sealer.use(key), "the first key is taken")
  return sealer
}

private func sealed(_ message: Message) {
  precondition((try? sealer().open(message, from: .master)) == nil, "nobody sealed this")
}

private func leaf(_ frame: [UInt8]) {
  guard let key = try? BulkFrame.key(of: frame) else { return }
  precondition(sealer().open(frame, key: key) == nil, "nobody sealed this")
}

fuzz(fuzzOne)
