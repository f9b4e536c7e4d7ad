import Protocol
import Testing

struct MessageTests {
  @Test(arguments: Opcode.allCases)
  func `a message comes back as it was`(opcode: Opcode) throws {
    for seed in 0..<200 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let message = generator.message(opcode)
      #expect(try Message(decoding: message.encoded()) == message, "seed \(seed)")
      #expect(message.opcode == opcode)
    }
  }

  @Test(arguments: Opcode.allCases)
  func `a message that ends too early is refused wherever it ends`(opcode: Opcode) throws {
    for seed in 0..<10 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let bytes = try generator.message(opcode).encoded()
      for count in 0..<bytes.count {
        #expect(throws: DecodingFault.self, "seed \(seed), \(count) bytes") {
          try Message(decoding: Array(bytes.prefix(count)))
        }
      }
    }
  }

  @Test(arguments: Opcode.allCases)
  func `a message with a byte behind its end is refused`(opcode: Opcode) throws {
    for seed in 0..<100 as Range<UInt64> {
      var generator = TestGenerator(seed: seed)
      let bytes = try generator.message(opcode).encoded()
      #expect(throws: DecodingFault.trailingBytes, "seed \(seed)") {
        try Message(decoding: bytes + [UInt8(truncatingIfNeeded: seed)])
      }
    }
  }

  @Test func `an unknown opcode is refused by its number`() {
    #expect(throws: DecodingFault.unknownOpcode(0x7fff)) {
      try Message(decoding: [0xff, 0x7f])
    }
  }

  @Test(arguments: [Opcode.forwarded, .directed])
  func `an envelope in an envelope is refused`(opcode: Opcode) throws {
    var generator = TestGenerator(seed: 1)
    let inner = try generator.message(opcode).encoded()
    var writer = ByteWriter()
    writer.put(opcode.rawValue)
    writer.put(PublicID(1))
    #expect(throws: DecodingFault.invalid("nesting")) {
      try Message(decoding: writer.bytes + inner)
    }
  }

  @Test func `a message beyond the limit is neither made nor taken`() {
    let body = [UInt8](repeating: 0, count: Limits.controlMessage)
    let message = Message.addFiles(
      Proposal(transfer: TransferID(incarnation: 1, counter: 1), oldest: 1, body: body))
    #expect(throws: DecodingFault.tooLong("a control message")) { try message.encoded() }
    #expect(throws: DecodingFault.tooLong("a control message")) {
      try Message(decoding: body + [0])
    }
  }
}
