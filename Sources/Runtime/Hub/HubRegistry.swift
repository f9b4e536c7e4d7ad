package import Core
package import Protocol
package import State
package import System

/// What the hub keeps for good: whose key the master's is, and every client's number, key and
/// admission, with its wrapped group key.
package final class HubRegistry: Sendable {
  /// What a registry says.
  package struct Content: Equatable, Sendable {
    package var master: DeviceKey?
    /// In the order of their numbers.
    package var clients: [HubClient] = []
    /// The highest number that a client ever had.
    package var lastPublicID = PublicID.master
    /// A registry of a new hub, or what one says.
    package init(
      master: DeviceKey? = nil, clients: [HubClient] = [], lastPublicID: PublicID = .master
    ) {
      self.master = master
      self.clients = clients
      self.lastPublicID = lastPublicID
    }
  }

  private let log: RecordLog

  /// The registry of a hub with this state folder.
  package static func path(in folder: String) -> String {
    folder + "/" + StateKind.registry.rawValue
  }

  /// Begins a registry at `path`, or goes on with what `read` found in the one that is there.
  package init(path: String, continuing content: Content) throws(SystemError) {
    log = try RecordLog(.registry, path, replacingWith: Self.records(content))
  }

  /// What the registry at `path` says; nil where there is none. A hub may write it meanwhile.
  package static func read(_ path: String) throws(StateFault) -> Content? {
    guard let records = try RegistryRecord.readAll(path) else { return nil }
    var content = Content()
    var clients: [PublicID: HubClient] = [:]
    for record in records {
      switch record {
      case .master(let key): content.master = key
      case .client(let client, let wrapped):
        clients[client.publicID] = HubClient(client, wrapped: wrapped)
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
  package func note(_ client: HubClient) throws(SystemError) {
    try log.append(Self.record(client).encoded)
  }

  /// Notes that a client is no longer known. Any thread.
  package func forget(_ publicID: PublicID) throws(SystemError) {
    try log.append(RegistryRecord.forgotten(publicID).encoded)
  }

  /// Notes whose key the master's is; durable on return. Any thread.
  package func note(master key: DeviceKey) throws(SystemError) {
    try log.append(RegistryRecord.master(key).encoded)
    try log.synchronise()
  }

  /// Makes the registry anew where most of it is history. Any thread.
  package func compactIfWorthIt(_ content: () -> Content) throws(SystemError) {
    if log.isWorthRewriting { try rewrite(content()) }
  }

  /// Makes the registry anew: `content` is all that there is to say. Any thread.
  package func rewrite(_ content: Content) throws(SystemError) {
    try log.rewrite(with: Self.records(content))
  }

  private static func records(_ content: Content) -> [[UInt8]] {
    let records =
      (content.master.map { [RegistryRecord.master($0)] } ?? [])
      + [.lastPublicID(content.lastPublicID)] + content.clients.map(record)
    return records.map(\.encoded)
  }

  private static func record(_ client: HubClient) -> RegistryRecord {
    .client(client.record(presence: .gone), wrapped: client.groupKey?.wrapped ?? [])
  }
}

extension HubClient {
  fileprivate init(_ record: ClientRecord, wrapped: [UInt8]) {
    // Of a client that is out the generation says since when.
    let groupKey =
      record.generation == 0 || wrapped.isEmpty
      ? nil
      : GroupKeyMessage(
        publicID: record.publicID, generation: record.generation, wrapped: wrapped)
    self.init(
      publicID: record.publicID, key: record.key, name: record.name, system: record.system,
      address: record.address, firstSeen: record.firstSeen, admission: record.admission,
      groupKey: groupKey, outSince: wrapped.isEmpty ? record.generation : 0,
      reached: record.reached)
  }
}
