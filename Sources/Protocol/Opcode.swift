/// Numbers of the control messages. They are the wire's and never change; a retired one is not used
/// again.
package enum Opcode: UInt16, CaseIterable, Sendable {
  case hello = 0x01
  case refused = 0x02
  case masterAppRegister = 0x10
  case masterAppRegisterAck = 0x11
  case clientRegister = 0x12
  case clientRegisterAck = 0x13
  case newClientRegistered = 0x14
  case bulkTickets = 0x15
  case leave = 0x16
  case clientForgotten = 0x17
  case clientTable = 0x18
  case approveClient = 0x20
  case disApproveClient = 0x21
  case clientApproved = 0x22
  case clientDisApproved = 0x23
  case groupKey = 0x24
  case listHead = 0x25
  case addFiles = 0x30
  case filesAdded = 0x31
  case removeFile = 0x32
  case fileRemoved = 0x33
  case renameFile = 0x34
  case fileRenamed = 0x35
  case updateName = 0x36
  case nameUpdated = 0x37
  case clientReleased = 0x38
  case serverNotReady = 0x39
  case askFiles = 0x3a
  case filesPage = 0x3b
  case forwarded = 0x3c
  case directed = 0x3d
  case changeRefused = 0x3e
  case clientsOut = 0x3f
  case online = 0x40
  case away = 0x41
  case gone = 0x42
  case requestChunk = 0x50
  case uploadChunkRequest = 0x51
  case chunkFailed = 0x52
  case tellAddresses = 0x53
  case askAddresses = 0x54
  case addresses = 0x55
}
