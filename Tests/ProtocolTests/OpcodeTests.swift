import Protocol
import Testing

struct OpcodeTests {
  /// The numbers of the wire, frozen: changing one breaks every older program.
  private static let numbers: [Opcode: UInt16] = [
    .hello: 0x01, .refused: 0x02,
    .masterAppRegister: 0x10, .masterAppRegisterAck: 0x11, .clientRegister: 0x12,
    .clientRegisterAck: 0x13, .newClientRegistered: 0x14, .bulkTickets: 0x15, .leave: 0x16,
    .clientForgotten: 0x17, .clientTable: 0x18,
    .approveClient: 0x20, .disApproveClient: 0x21, .clientApproved: 0x22,
    .clientDisApproved: 0x23, .groupKey: 0x24, .listHead: 0x25,
    .addFiles: 0x30, .filesAdded: 0x31, .removeFile: 0x32, .fileRemoved: 0x33,
    .renameFile: 0x34, .fileRenamed: 0x35, .updateName: 0x36, .nameUpdated: 0x37,
    .clientReleased: 0x38, .serverNotReady: 0x39, .changeRefused: 0x3e, .askFiles: 0x3a,
    .filesPage: 0x3b,
    .forwarded: 0x3c, .directed: 0x3d, .clientsOut: 0x3f,
    .online: 0x40, .away: 0x41, .gone: 0x42,
    .requestChunk: 0x50, .uploadChunkRequest: 0x51, .chunkFailed: 0x52,
    .tellAddresses: 0x53, .askAddresses: 0x54, .addresses: 0x55,
  ]

  @Test(arguments: Opcode.allCases)
  func `an opcode keeps its number`(opcode: Opcode) {
    #expect(Self.numbers[opcode] == opcode.rawValue)
  }

  @Test func `no opcode is without a frozen number`() {
    #expect(Self.numbers.count == Opcode.allCases.count)
  }

  @Test func `the other numbers of the wire are frozen too`() {
    #expect([EntryKind.file, .directory, .symlink].map(\.rawValue) == [1, 2, 3])
    #expect([Admission.waiting, .approved, .disapproved].map(\.rawValue) == [0, 1, 2])
    #expect([Presence.online, .away, .gone].map(\.rawValue) == [0, 1, 2])
    #expect(
      [
        Rejection.exists, .notADirectory, .isADirectory, .notTheOwner, .unknownEntry, .listFull,
        .pathTooLong, .linkLeadsOut,
      ].map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(
      [ChunkFailureReason.away, .gone, .changed, .denied, .busy, .unreadable, .stale].map(
        \.rawValue)
        == [1, 2, 3, 4, 5, 6, 7])
    #expect(
      [
        RefusalCode.protocolError, .badProof, .notTheMaster, .displaced, .disapproved,
        .tooManyClients, .claimNeeded,
      ].map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7])
    #expect(BulkFrame.keepAlive == 0 && BulkFrame.chunkReady == 1)
  }
}
