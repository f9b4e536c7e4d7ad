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
  /// The latest group key that the master wrapped for it; nil where there is none, or none any more.
  package var groupKey: GroupKeyMessage?

  package init(
    publicID: PublicID, key: DeviceKey, name: DeviceName, system: String, address: String = "",
    firstSeen: Int64 = 0, admission: Admission, groupKey: GroupKeyMessage? = nil
  ) {
    self.publicID = publicID
    self.key = key
    self.name = name
    self.system = system
    self.address = address
    self.firstSeen = firstSeen
    self.admission = admission
    self.groupKey = groupKey
  }

  /// What the master is told about it.
  package func record(presence: Presence) -> ClientRecord {
    ClientRecord(
      publicID: publicID, key: key, name: name, system: system, address: address,
      firstSeen: firstSeen, generation: groupKey?.generation ?? 0, admission: admission,
      presence: presence)
  }
}
