package import Protocol

/// One record of the hub's file `registry`, a log: a client's registration must cost no more the
/// more clients there are, and is told to the client as soon as it is written.
package enum RegistryRecord: Equatable, Sendable {
  /// Whose key the master's is.
  case master(DeviceKey)
  /// A client, and the group key as it is wrapped for it: empty where there is none.
  case client(ClientRecord, wrapped: [UInt8])
  case forgotten(PublicID)
  /// The highest number that a client ever had.
  case lastPublicID(PublicID)

  private enum Kind {
    static let master: UInt8 = 1
    static let client: UInt8 = 2
    static let forgotten: UInt8 = 3
    static let lastPublicID: UInt8 = 4
  }

  /// The records of the registry at `path`; nil where there is none. A hub may write it meanwhile.
  /// A registration that a crash cut off had not been told to anybody.
  package static func readAll(_ path: String) throws(StateFault) -> [RegistryRecord]? {
    guard let log = try RecordLog.load(.registry, path) else { return nil }
    if case .damaged(let position) = log.end {
      throw .damaged(.registry, path, "at byte \(position)")
    }
    var records: [RegistryRecord] = []
    for record in log.records {
      do throws(DecodingFault) {
        records.append(try RegistryRecord(decoding: record, isOlder: log.isOlder))
      } catch {
        throw .damaged(.registry, path, "\(error)")
      }
    }
    return records
  }

  private init(decoding record: [UInt8], isOlder: Bool) throws(DecodingFault) {
    var reader = ByteReader(record)
    switch try reader.uint8() {
    case Kind.master: self = .master(try reader.deviceKey())
    case Kind.client:
      let client = try reader.clientRecord(isOlder: isOlder)
      let wrapped = try reader.bytes16(atMost: GroupKeyMessage.wrappedLimit)
      self = .client(client, wrapped: wrapped)
    case Kind.forgotten: self = .forgotten(try reader.publicID())
    case Kind.lastPublicID: self = .lastPublicID(try reader.publicID())
    default: throw .invalid("record")
    }
    try reader.finish()
  }

  package var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 400)
    switch self {
    case .master(let key):
      writer.put(Kind.master)
      writer.put(key)
    case .client(let client, let wrapped):
      writer.put(Kind.client)
      writer.put(client)
      writer.putBytes16(wrapped)
    case .forgotten(let publicID):
      writer.put(Kind.forgotten)
      writer.put(publicID)
    case .lastPublicID(let publicID):
      writer.put(Kind.lastPublicID)
      writer.put(publicID)
    }
    return writer.bytes
  }
}
