package import Protocol

/// What the hub keeps of a client for good.
package struct HubClient: Equatable, Sendable {
  package let publicID: PublicID
  package let key: DeviceKey
  package var name: DeviceName
  package var system: String
  /// The numeric address that it last registered from.
  package var address: String
  /// When the hub first met its key, seconds since 1970.
  package let firstSeen: Int64
  package var admission: Admission
  /// The latest group key that the master wrapped for it; nil where there is none, or none any
  /// more.
  package var groupKey: GroupKeyMessage?
  /// Of the group key once it was put out; 0: it is not out.
  package var outSince: UInt32
  /// The latest generation that it ever had, in its own word.
  package var reached: UInt32
  /// What it spoke when it last registered.
  package var versions: ProtocolVersions

  package init(
    publicID: PublicID, key: DeviceKey, name: DeviceName, system: String, address: String = "",
    firstSeen: Int64 = 0, admission: Admission, groupKey: GroupKeyMessage? = nil,
    outSince: UInt32 = 0, reached: UInt32 = 0, versions: ProtocolVersions = .first
  ) {
    self.versions = versions
    self.publicID = publicID
    self.key = key
    self.name = name
    self.system = system
    self.address = address
    self.firstSeen = firstSeen
    self.admission = admission
    self.groupKey = groupKey
    self.outSince = outSince
    self.reached = reached
  }

  /// What the master is told about it.
  package func record(presence: Presence) -> ClientRecord {
    ClientRecord(
      publicID: publicID, key: key, name: name, system: system, address: address,
      firstSeen: firstSeen, generation: groupKey?.generation ?? outSince, reached: reached,
      versions: versions, admission: admission, presence: presence)
  }
}
