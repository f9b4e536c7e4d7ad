import Core
import Protocol
import System

/// What the hub keeps for good: whose key the master's is, and every client's number, key and admission, with
/// its wrapped group key.
final class HubRegistry: Sendable {
  private enum Kind {
    static let master: UInt8 = 1
    static let client: UInt8 = 2
    static let forgotten: UInt8 = 3
    static let lastPublicID: UInt8 = 4
  }

  /// What a registry says.
  struct Content: Equatable, Sendable {
    var master: DeviceKey?
    /// In the order of their numbers.
    var clients: [HubClient] = []
    /// The highest number that a client ever had.
    var lastPublicID = PublicID.master
  }

  private enum Noted {
    case master(DeviceKey)
    case client(HubClient)
    case forgotten(PublicID)
    case lastPublicID(PublicID)
  }

  private let log: RecordLog

  /// The registry of a hub with this state folder.
  static func path(in folder: String) -> String { folder + "/registry" }

  /// Begins a registry at `path`, or goes on with what `read` found in the one that is there.
  init(path: String, continuing content: Content) throws(SystemError) {
    log = try RecordLog(path: path, replacingWith: Self.records(content))
  }

  /// What the registry at `path` says; nil where there is none. A hub may write it meanwhile.
  static func read(_ path: String) throws(SystemError) -> Content? {
    guard let records = try RecordLog.load(path) else { return nil }
    var content = Content()
    var clients: [PublicID: HubClient] = [:]
    for record in records {
      guard let one = try? decode(record) else { continue }
      switch one {
      case .master(let key): content.master = key
      case .client(let client):
        clients[client.publicID] = client
        content.lastPublicID = max(content.lastPublicID, client.publicID)
      case .forgotten(let publicID):
        clients[publicID] = nil
        content.lastPublicID = max(content.lastPublicID, publicID)
      case .lastPublicID(let publicID):
        content.lastPublicID = max(content.lastPublicID, publicID)
      }
    }
    content.clients = clients.values.sorted { $0.publicID < $1.publicID }
    return content
  }

  /// Notes a client. Any thread.
  func note(_ client: HubClient) throws(SystemError) { try log.append(Self.encode(client)) }

  /// Notes that a client is no longer known. Any thread.
  func forget(_ publicID: PublicID) throws(SystemError) {
    try log.append(Self.encode(Kind.forgotten, publicID))
  }

  /// Notes whose key the master's is; durable on return. Any thread.
  func note(master key: DeviceKey) throws(SystemError) {
    try log.append(Self.encode(master: key))
    try log.synchronise()
  }

  /// Makes the registry anew where most of it is history. Any thread.
  func compactIfWorthIt(_ content: () -> Content) throws(SystemError) {
    if log.isWorthRewriting { try log.rewrite(with: Self.records(content())) }
  }

  private static func records(_ content: Content) -> [[UInt8]] {
    (content.master.map { [encode(master: $0)] } ?? [])
      + [encode(Kind.lastPublicID, content.lastPublicID)] + content.clients.map(encode)
  }

  private static func encode(master key: DeviceKey) -> [UInt8] {
    var writer = ByteWriter(reserving: 1 + 2 * DeviceKey.partLength)
    writer.put(Kind.master)
    writer.put(key)
    return writer.bytes
  }

  private static func encode(_ kind: UInt8, _ publicID: PublicID) -> [UInt8] {
    var writer = ByteWriter(reserving: 5)
    writer.put(kind)
    writer.put(publicID)
    return writer.bytes
  }

  private static func encode(_ client: HubClient) -> [UInt8] {
    var writer = ByteWriter(reserving: 400)
    writer.put(Kind.client)
    writer.put(client.record(presence: .gone))
    writer.putBytes16(client.groupKey?.wrapped ?? [])
    return writer.bytes
  }

  private static func decode(_ record: [UInt8]) throws(DecodingFault) -> Noted {
    var reader = ByteReader(record)
    switch try reader.uint8() {
    case Kind.master: return .master(try reader.deviceKey())
    case Kind.client:
      let record = try reader.clientRecord()
      let wrapped = try reader.bytes16(atMost: GroupKeyMessage.wrappedLimit)
      let groupKey =
        record.generation == 0
        ? nil
        : GroupKeyMessage(
          publicID: record.publicID, generation: record.generation, wrapped: wrapped)
      return .client(
        HubClient(
          publicID: record.publicID, key: record.key, name: record.name, system: record.system,
          address: record.address, firstSeen: record.firstSeen, admission: record.admission,
          groupKey: groupKey))
    case Kind.forgotten: return .forgotten(try reader.publicID())
    case Kind.lastPublicID: return .lastPublicID(try reader.publicID())
    default: throw .invalid("registry")
    }
  }
}
