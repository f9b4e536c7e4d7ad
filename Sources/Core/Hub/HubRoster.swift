import Protocol

/// The hub's clients, with what events ask about all of them kept at hand: a crowd that waits makes
/// nothing slower for those who are in.
struct HubRoster: Sendable {
  struct Client: Sendable {
    var record: HubClient
    var session: SessionID?
    var presence: Presence
    var incarnation: Incarnation?
    /// When the connection of its latest session was opened.
    var opened: Instant?
  }

  private var clients: [PublicID: Client] = [:]
  private var byKey: [DeviceKey: PublicID] = [:]
  /// Clients that are connected and approved, the master not among them, in order.
  private(set) var approvedSessions: [SessionID] = []
  /// Clients that are approved, the master among them, in order.
  private(set) var approved: [PublicID] = []
  /// Clients that wait for approval.
  private(set) var waiting = 0
  /// Those of them that are not connected.
  private var absent: Set<PublicID> = []

  /// Everything about a client; setting nil forgets it. O(1), but for a change of session or
  /// admission.
  subscript(publicID: PublicID) -> Client? {
    get { clients[publicID] }
    set {
      let old = clients[publicID]
      clients[publicID] = newValue
      if let old, let newValue, old.session == newValue.session,
        old.record.admission == newValue.record.admission, old.record.key == newValue.record.key
      {
        return
      }
      if let old { unlist(old) }
      if let newValue { list(newValue) }
    }
  }

  /// Who has this key.
  subscript(key: DeviceKey) -> PublicID? { byKey[key] }

  /// All of them, by their numbers.
  var sorted: [Client] { clients.values.sorted { $0.record.publicID < $1.record.publicID } }

  /// The client that waits without being connected and connected longest ago. O(clients that wait).
  var longestAbsent: PublicID? {
    absent.min {
      (clients[$0]?.opened ?? .zero, $0) < (clients[$1]?.opened ?? .zero, $1)
    }
  }

  private mutating func list(_ client: Client) {
    let publicID = client.record.publicID
    byKey[client.record.key] = publicID
    switch client.record.admission {
    case .approved:
      approved.insert(publicID, at: Self.place(of: publicID, in: approved))
      guard publicID != .master, let session = client.session else { return }
      approvedSessions.insert(session, at: Self.place(of: session, in: approvedSessions))
    case .waiting:
      waiting += 1
      if client.session == nil { absent.insert(publicID) }
    case .disapproved: break
    }
  }

  private mutating func unlist(_ client: Client) {
    let publicID = client.record.publicID
    if byKey[client.record.key] == publicID { byKey[client.record.key] = nil }
    Self.remove(publicID, from: &approved)
    absent.remove(publicID)
    if client.record.admission == .waiting { waiting -= 1 }
    guard let session = client.session else { return }
    Self.remove(session, from: &approvedSessions)
  }

  private static func remove<Value: Comparable>(_ value: Value, from sorted: inout [Value]) {
    let place = place(of: value, in: sorted)
    if place < sorted.count, sorted[place] == value { sorted.remove(at: place) }
  }

  /// Where a value stands, or would stand, among sorted ones.
  private static func place<Value: Comparable>(of value: Value, in sorted: [Value]) -> Int {
    var range = 0..<sorted.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range =
        sorted[middle] < value
        ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }
}
