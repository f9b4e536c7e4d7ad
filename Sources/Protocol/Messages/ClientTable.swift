/// CLIENT_TABLE: whom the list knows by which number and key, as far as the hub has it otherwise. A
/// record that is approved in the hub and waits here is one that the master does not remember: it
/// waits again.
package struct ClientTable: Equatable, Sendable {
  /// At most `Limits.clientsPerAck`, each with a key.
  package let records: [MemberRecord]
  /// The highest number that the master has heard of: the hub gives none up to it to somebody new.
  package let highest: PublicID
  /// Whether the hub has heard it all, and may give numbers to newcomers.
  package let isLast: Bool
  package init(records: [MemberRecord], highest: PublicID, isLast: Bool) {
    self.records = records
    self.highest = highest
    self.isLast = isLast
  }

  /// Numbers are below this: nobody has met so many clients, and the hub can always count on.
  package static let numbers: UInt32 = 1 << 31
}

/// CLIENTS_OUT: clients that a member knows as put out, and that the list it was given does not
/// have so. Only a master that was set back makes anything of it.
package struct ClientsOut: Equatable, Sendable {
  /// A count and that many `MemberRecord`s, encoded; sealed on its way.
  package var body: [UInt8]
  package init(body: [UInt8]) { self.body = body }

  /// Requires: at most `Limits.clientsPerAck`.
  package init(_ records: [MemberRecord]) {
    var writer = ByteWriter(reserving: 4 + records.count * 160)
    writer.put(UInt32(records.count))
    for record in records { writer.put(record) }
    body = writer.bytes
  }

  /// The records in the opened body.
  package func records() throws(DecodingFault) -> [MemberRecord] {
    var reader = ByteReader(body)
    let count = try reader.count(of: 12, atMost: Limits.clientsPerAck)
    var records: [MemberRecord] = []
    for _ in 0..<count { records.append(try reader.memberRecord()) }
    try reader.finish()
    return records
  }
}
