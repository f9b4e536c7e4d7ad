import Core
import Protocol
import System

/// What the hub keeps for good: whose key the master's is, and every client's number, key and admission.
final class HubRegistry: Sendable {
  private enum Kind {
    static let master: UInt8 = 1
    static let client: UInt8 = 2
  }

  private let log: RecordLog
  /// As they were at the start.
  let master: DeviceKey?
  let clients: [HubClient]

  /// Reads the registry at `path`, or begins one. Throws where it cannot be read or written.
  init(path: String) throws(SystemError) {
    var master: DeviceKey?
    var clients: [PublicID: HubClient] = [:]
    for record in try RecordLog.load(path) ?? [] {
      guard let one = try? Self.decode(record) else { continue }
      switch one {
      case .master(let key): master = key
      case .client(let client): clients[client.publicID] = client
      }
    }
    self.master = master
    self.clients = clients.values.sorted { $0.publicID < $1.publicID }
    let records = (master.map { [Self.encode(master: $0)] } ?? []) + self.clients.map(Self.encode)
    log = try RecordLog(path: path, replacingWith: records)
  }

  /// Notes a client. Any thread.
  func note(_ client: HubClient) throws(SystemError) { try log.append(Self.encode(client)) }

  /// Notes whose key the master's is. Any thread.
  func note(master key: DeviceKey) throws(SystemError) { try log.append(Self.encode(master: key)) }

  private enum Noted {
    case master(DeviceKey)
    case client(HubClient)
  }

  private static func encode(master key: DeviceKey) -> [UInt8] {
    [Kind.master] + key.signing + key.agreement
  }

  private static func encode(_ client: HubClient) -> [UInt8] {
    var writer = ByteWriter(reserving: 200)
    writer.put(Kind.client)
    writer.put(
      ClientRecord(
        publicID: client.publicID, key: client.key, name: client.name, system: client.system,
        admission: client.admission, presence: .gone))
    return writer.bytes
  }

  private static func decode(_ record: [UInt8]) throws(DecodingFault) -> Noted {
    var reader = ByteReader(record)
    switch try reader.uint8() {
    case Kind.master:
      let signing = try reader.fixed(DeviceKey.partLength)
      return .master(
        DeviceKey(signing: signing, agreement: try reader.fixed(DeviceKey.partLength)))
    case Kind.client:
      let record = try reader.clientRecord()
      return .client(
        HubClient(
          publicID: record.publicID, key: record.key, name: record.name, system: record.system,
          admission: record.admission))
    default: throw .invalid("registry")
    }
  }
}
