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
  /// Clients that are approved, the master among them.
  private(set) var approved: Set<PublicID> = []
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
      approved.insert(publicID)
      guard publicID != .master, let session = client.session else { return }
      approvedSessions.insert(session, at: place(of: session))
    case .waiting:
      waiting += 1
      if client.session == nil { absent.insert(publicID) }
    case .disapproved: break
    }
  }

  private mutating func unlist(_ client: Client) {
    let publicID = client.record.publicID
    if byKey[client.record.key] == publicID { byKey[client.record.key] = nil }
    approved.remove(publicID)
    absent.remove(publicID)
    if client.record.admission == .waiting { waiting -= 1 }
    guard let session = client.session else { return }
    let place = place(of: session)
    if place < approvedSessions.count, approvedSessions[place] == session {
      approvedSessions.remove(at: place)
    }
  }

  /// Where a session stands, or would stand, among the approved ones.
  private func place(of session: SessionID) -> Int {
    var range = 0..<approvedSessions.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range =
        approvedSessions[middle] < session
        ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }
}
