import Protocol
import Testing

/// No bytes from the wire crash the decoders or make them allocate what is not there.
struct HostileBytesTests {
  @Test(arguments: 0..<10 as Range<UInt64>)
  func `random bytes are refused or taken, and never crash`(seed: UInt64) {
    var generator = TestGenerator(seed: seed)
    let opcodes = Opcode.allCases
    for _ in 0..<10_000 {
      var bytes = generator.bytes(upTo: 200)
      // Most begin with a known opcode: others do not get far.
      if bytes.count >= 2, generator.below(4) > 0 {
        bytes[0] = UInt8(truncatingIfNeeded: generator.pick(opcodes).rawValue)
        bytes[1] = 0
      }
      decodeAll(bytes)
    }
  }

  @Test(arguments: Opcode.allCases)
  func `a message with one byte changed never crashes`(opcode: Opcode) throws {
    for seed in 0..<20 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let bytes = try generator.message(opcode).encoded()
      for index in bytes.indices {
        var changed = bytes
        changed[index] = UInt8(truncatingIfNeeded: generator.next())
        decodeAll(changed)
      }
    }
  }

  @Test func `bodies with one byte changed never crash`() throws {
    for seed in 0..<200 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let change = ProposedChange.add([generator.entry(), generator.entry()], reclaims: false)
      guard case .addFiles(var proposal) = change.message(generator.transfer(), oldest: 1) else {
        return
      }
      for index in proposal.body.indices {
        let honest = proposal.body[index]
        proposal.body[index] = UInt8(truncatingIfNeeded: generator.next())
        _ = try? ProposedChange.decode(.addFiles(proposal))
        proposal.body[index] = honest
      }
    }
  }

  private func decodeAll(_ bytes: [UInt8]) {
    if let message = try? Message(decoding: bytes) {
      _ = try? ProposedChange.decode(message)
      _ = try? OrderedChange.decode(message)
    }
    _ = try? PageBody(decoding: bytes)
    _ = try? BulkFrame.key(of: bytes)
  }

  @Test(arguments: [Opcode.addFiles, .filesAdded, .approveClient, .filesPage, .online])
  func `a length that is not there is refused before anything is allocated`(
    opcode: Opcode
  ) throws {
    var generator = TestGenerator(seed: 5)
    var bytes = try emptied(generator.message(opcode)).encoded()
    for index in (bytes.count - 4)..<bytes.count { bytes[index] = 0xff }
    #expect(throws: DecodingFault.self) { try Message(decoding: bytes) }
    // The largest length within the limit, with nothing behind it.
    bytes.replaceSubrange((bytes.count - 4)..., with: [0x00, 0x10, 0x00, 0x00])
    #expect(throws: DecodingFault.truncated) { try Message(decoding: bytes) }
  }

  /// The same message with an empty list or body at its end.
  private func emptied(_ message: Message) -> Message {
    switch message {
    case .addFiles(var proposal):
      proposal.body = []
      return .addFiles(proposal)
    case .filesAdded(var ordered):
      ordered.body = []
      return .filesAdded(ordered)
    case .approveClient(var decision):
      decision.body = []
      return .approveClient(decision)
    case .filesPage(var page):
      page.body = []
      return .filesPage(page)
    default: return .online([])
    }
  }

  @Test(arguments: [Limits.leafScale, Limits.smallestScale])
  func `a run of leaves that ends beyond all files is refused`(scale: UInt8) throws {
    func run(_ count: UInt32, endsAt last: UInt64) -> Message {
      .requestChunk(
        ChunkRequest(
          owner: .master, entry: .zero, version: .zero, scale: scale, generation: 0,
          first: last + 1 - UInt64(count), count: count, pastCache: false))
    }
    let last = Limits.fileSize >> UInt64(scale)
    for count in [1, 2, Limits.leavesPerRequest] as [UInt32] {
      let whole = run(count, endsAt: last)
      #expect(try Message(decoding: whole.encoded()) == whole)
      #expect(throws: DecodingFault.invalid("chunk")) {
        try Message(decoding: run(count, endsAt: last + 1).encoded())
      }
    }
  }

  @Test func `a count beyond what could be there is refused`() {
    var writer = ByteWriter()
    writer.put(PublicID.master)
    writer.put(ListMark.none)
    var some = writer
    writer.put(UInt32.max)
    #expect(throws: DecodingFault.tooLong("a list")) { try PageBody(decoding: writer.bytes) }
    some.put(UInt32(1_000))
    #expect(throws: DecodingFault.truncated) { try PageBody(decoding: some.bytes) }
  }
}
