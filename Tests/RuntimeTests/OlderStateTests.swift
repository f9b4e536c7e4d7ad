import Core
import Protocol
import Runtime
import Sealing
import State
import System
import Testing

/// S94: what earlier versions wrote, without a first line, is read once more and rewritten.
struct OlderStateTests {
  private let place: TemporaryFolder
  private var folder: String { place.path + "/state" }

  init() throws {
    place = try TemporaryFolder()
    try File.makeDirectories(folder, mode: 0o700)
  }

  /// Records as they were framed before.
  private func older(_ records: [[UInt8]]) -> [UInt8] {
    records.reduce(into: []) { bytes, record in
      let sum = record.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
      var writer = ByteWriter()
      writer.put(UInt32(record.count))
      writer.put(sum)
      bytes += writer.bytes + record
    }
  }

  /// A decision as it was: without a date.
  private func olderDecision(_ number: UInt8, _ admission: Admission) -> [UInt8] {
    var writer = ByteWriter()
    writer.put(decision(number, admission))
    return writer.bytes.dropLast(4)
  }

  /// A client of the registry as it was: without the generation that it had reached, and what it
  /// speaks.
  private func olderClient(_ client: HubClient, wrapped: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.put(UInt8(2))
    writer.put(client.record(presence: .gone))
    // Behind it: admission, whose first bit says that there are versions, presence, versions.
    let end = writer.bytes.suffix(6).prefix(2).map { $0 & 0x7f }
    let record = writer.bytes.dropLast(10) + end
    var tail = ByteWriter()
    tail.putBytes16(wrapped)
    return record + tail.bytes
  }

  private func hasFirstLine(_ name: String) -> Bool {
    bytes("\(folder)/\(name)")?.starts(with: Array("fsharefs \(name) 2 ".utf8)) == true
  }

  @Test func `keys and decisions of the older vault`() throws {
    let key = GroupKey(newGeneration: 3)
    var keyRecord = ByteWriter()
    keyRecord.put(UInt8(1))
    keyRecord.put(key.generation)
    keyRecord.putFixed(key.secretBytes, count: 32)
    let decisionRecord = [2] + olderDecision(5, .disapproved)
    let file = older([keyRecord.bytes, decisionRecord])
    try put(file, folder + "/vault")
    let vault = try KeyVault(path: folder + "/vault")
    #expect(vault.summary.generation == 3)
    #expect(vault.summary.decisions == [decision(5, .disapproved)])
    #expect(try vault.key(3).secretBytes == key.secretBytes)
    #expect(hasFirstLine("vault"))
    #expect(try KeyVault(path: folder + "/vault").summary.generation == 3)

    // A flipped bit in it is found, and nothing is written over.
    for place in file.indices {
      var damaged = file
      damaged[place] ^= 0x10
      try put(damaged, folder + "/vault")
      let said = refusal { _ = try KeyVault(path: folder + "/vault") }
      // One in the last record's length looks like what a crash leaves.
      let isLength = (file.count - decisionRecord.count - 8..<file.count).contains(place)
      #expect(said != nil || isLength, "byte \(place)")
      if said != nil { #expect(bytes(folder + "/vault") == damaged) }
    }
  }

  @Test func `clients of the older registry`() throws {
    let path = HubRegistry.path(in: folder)
    let records = [
      RegistryRecord.master(deviceKey(9)).encoded, RegistryRecord.lastPublicID(PublicID(8)).encoded,
      olderClient(client(2), wrapped: [1, 2, 2]),
    ]
    try put(older(records) + [9, 0], path)
    let content = try #require(try HubRegistry.read(path))
    #expect(content.master == deviceKey(9) && content.lastPublicID == PublicID(8))
    #expect(content.clients == [client(2)])
    _ = try HubRegistry(path: path, continuing: content)
    #expect(hasFirstLine("registry"))
    #expect(try HubRegistry.read(path) == content)
  }

  /// An entry as it was: its time in nanoseconds.
  private func olderEntry(_ name: String, time: Int64) -> [UInt8] {
    var writer = ByteWriter()
    writer.putFixed([UInt8](repeating: 7, count: 16), count: 16)
    writer.put(EntryKind.file.rawValue)
    writer.putFixed([UInt8](repeating: 8, count: 16), count: 16)
    writer.put(UInt64(10))
    writer.put(UInt64(bitPattern: time))
    writer.put(UInt16(0o644))
    writer.putBytes16(Array(name.utf8))
    writer.putBytes16([])
    return writer.bytes
  }

  @Test(arguments: [0, 1_500_000_000, -1, .min, .max] as [Int64])
  func `the list of the older journal`(time: Int64) throws {
    var epoch = ByteWriter()
    epoch.put(UInt8(1))
    epoch.put(UInt64(77))
    var snapshot = ByteWriter()
    snapshot.put(UInt8(3))
    snapshot.put(ListOrder(epoch: 77, seq: 3))
    snapshot.put(UInt32(2))
    snapshot.put(UInt8(3))
    for byte in olderDecision(1, .approved) { snapshot.put(byte) }
    snapshot.put(UInt8(1))
    snapshot.put(PublicID(1))
    snapshot.put(UInt64(2))
    let body = olderEntry("new", time: time)
    var change = ByteWriter()
    change.put(UInt8(2))
    change.put(Opcode.filesAdded.rawValue)
    change.put(ListOrder(epoch: 77, seq: 4))
    change.put(PublicID(1))
    change.put(TransferID(incarnation: 1, counter: 1))
    change.putBytes32([1, 0, 0, 0] + body + [0, 0, 0, 0])
    try put(
      older([
        epoch.bytes + [1, 2, 3], snapshot.bytes + olderEntry("old", time: time), change.bytes, [5],
      ]), folder + "/journal")
    let opened = try MasterJournal.open(
      folder + "/journal", vault: MasterVault(), settings: Master.Settings(), signer: .none)
    #expect(opened.remark == nil)
    // It had no history, so a new epoch begins with what it has.
    #expect(opened.master.replica.order.seq == 4 && opened.master.replica.order.epoch != 77)
    #expect(opened.master.replica.members[PublicID(1)] == decision(1, .approved))
    // The same entry under its later name.
    let listed = opened.master.replica.list.sorted
    #expect(listed.map { String(decoding: $0.entry.path.bytes, as: UTF8.self) } == ["new"])
    let seen = try #require(listed.first).entry.modified
    let whole = Int128(seen.seconds) * 1_000_000_000 + Int128(seen.nanoseconds)
    #expect(whole == Int128(time))
    #expect(hasFirstLine("journal"))
  }

  @Test func `the small files`() throws {
    let identity = DeviceIdentity()
    try put(identity.serialized, folder + "/key")
    try put(Array("anna".utf8), folder + "/name")
    try put(Array("hub 192.0.2.1:7420\npin \(fingerprint(1))\n".utf8), folder + "/group")
    try put(Array("9223372036854775807".utf8), folder + "/incarnation")
    try put([UInt8](repeating: 3, count: 32), folder + "/cache-key")
    let state = try openState(folder)
    #expect(try state.identity().key == identity.key)
    #expect(try state.deviceName(given: nil).text == "anna")
    #expect(try state.knownGroup()?.hub == fingerprint(1))
    #expect(try state.nextIncarnation() == 9_223_372_036_854_775_808)
    #expect(try state.cacheSecret() == [UInt8](repeating: 3, count: 32))
    #expect(hasFirstLine("incarnation"))
  }

  @Test func `the table of shares`() throws {
    try put(
      Array("fsharefs shares 1\n".utf8) + Array("photos\u{0}/srv/photos\u{0}".utf8),
      folder + "/shares")
    let file = try #require(try SharesFile.read(folder + "/shares"))
    #expect(file.rows.map(\.path) == [Array("/srv/photos".utf8)])
    try file.write(folder + "/shares")
    #expect(hasFirstLine("shares"))
    #expect(try SharesFile.read(folder + "/shares") == file)
  }

  @Test func `a person may take lines out of the file group`() throws {
    try StateScene.group.write(folder)
    let ending = TrustFailure.hub(
      seen: fingerprint(3), remembered: fingerprint(1), file: folder + "/group"
    ).ending
    let command = try #require(ending.text.firstRange(of: "sed -i "))
    #expect(ending.text[command.lowerBound...].hasPrefix("sed -i '/^fsharefs /d;/^pin /d' /"))
    let text = String(decoding: try #require(bytes(folder + "/group")), as: UTF8.self)
    let left = text.split(separator: "\n").filter {
      !$0.hasPrefix("fsharefs ") && !$0.hasPrefix("pin ")
    }
    try put(Array((left.joined(separator: "\n") + "\n").utf8), folder + "/group")
    let group = try #require(try openState(folder).knownGroup())
    #expect(group.hub == nil && group.master == fingerprint(2))
  }
}
