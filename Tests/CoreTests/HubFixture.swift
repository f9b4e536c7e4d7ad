import Core
import Protocol
import Testing

/// A hub whose connections a test plays by hand: session 100 is the master's, n is client n's.
struct HubBench {
  var hub: Hub
  var now: Instant = .zero
  static let masterSession: SessionID = 100

  private let settings: Hub.Settings

  init(settings: Hub.Settings = Hub.Settings()) {
    self.settings = settings
    hub = Hub(settings: settings)
  }

  /// Lets the hub take one event. Returns: what it wants done.
  @discardableResult
  mutating func act(_ body: (inout Hub, Instant, inout [HubAction]) -> Void) -> [HubAction] {
    var actions: [HubAction] = []
    body(&hub, now, &actions)
    // Whoever has tickets opens its streams at once.
    for case .issueTickets(let session) in actions { hub.openedDown(session) }
    return actions
  }

  @discardableResult
  mutating func masterRegisters(
    _ number: UInt8 = 200, session: SessionID = masterSession, incarnation: Incarnation = 1,
    proofHolds: Bool = true, claimHolds: Bool = true, tellsNumbers: Bool = true
  ) -> [HubAction] {
    hub.opened(session, now: now)
    return act {
      $0.masterRegisters(
        register(number, incarnation: incarnation), proofHolds: proofHolds,
        claimHolds: claimHolds, session: session, now: $1, into: &$2)
      guard tellsNumbers, $0.hasRegistered(session), $0.masterKey == key(number) else { return }
      let nothing = ClientTable(records: [], highest: .master, isLast: true)
      $0.received(.clientTable(nothing), session: session, now: $1, into: &$2)
    }
  }

  @discardableResult
  mutating func clientRegisters(
    _ number: UInt8, session: SessionID? = nil, incarnation: Incarnation = 1,
    from address: String = "", time: Int64 = 0, proofHolds: Bool = true
  ) -> [HubAction] {
    let session = session ?? SessionID(number)
    hub.opened(session, from: address, time: time, now: now)
    return act {
      $0.clientRegisters(
        register(number, incarnation: incarnation), proofHolds: proofHolds, session: session,
        now: $1, into: &$2)
    }
  }

  @discardableResult
  mutating func receives(_ message: Message, from session: SessionID) -> [HubAction] {
    act { $0.received(message, session: session, now: $1, into: &$2) }
  }

  @discardableResult
  mutating func decides(_ publicID: PublicID, _ admission: Admission) -> [HubAction] {
    let decision = Decision(order: ListOrder(epoch: 1, seq: 1), publicID: publicID, body: [])
    return receives(
      admission == .approved ? .approveClient(decision) : .disApproveClient(decision),
      from: Self.masterSession)
  }

  /// The master's word on a client's group key.
  @discardableResult
  mutating func groupKey(_ publicID: PublicID, _ generation: UInt32) -> [HubAction] {
    receives(.groupKey(wrapped(publicID, generation)), from: Self.masterSession)
  }

  /// The hub's process ends and begins again with what it was told to keep in `actions`.
  mutating func restarts(keeping actions: [HubAction]) {
    var clients: [PublicID: HubClient] = [:]
    var master: DeviceKey?
    var last = PublicID.master
    for action in actions {
      switch action {
      case .persist(let client):
        clients[client.publicID] = client
        last = max(last, client.publicID)
      case .forget(let publicID): clients[publicID] = nil
      case .persistMaster(let key): master = key
      default: break
      }
    }
    hub = Hub(
      settings: settings, master: master,
      clients: clients.values.sorted { $0.publicID < $1.publicID }, lastPublicID: last, now: now)
  }

  /// What a registry has of client n.
  func hubClient(_ number: UInt8, _ admission: Admission) -> HubClient {
    HubClient(
      publicID: PublicID(UInt32(number)), key: key(number), name: deviceName("device \(number)"),
      system: "test", admission: admission)
  }

  /// A master and `clients` approved clients: public ids 1, 2, …
  static func approved(_ clients: Int, settings: Hub.Settings = Hub.Settings()) -> HubBench {
    var bench = HubBench(settings: settings)
    bench.masterRegisters()
    for number in 1...UInt8(clients) {
      bench.clientRegisters(number)
      bench.decides(PublicID(UInt32(number)), .approved)
    }
    return bench
  }
}

/// A wrapped group key, as the master sends it.
func wrapped(_ publicID: PublicID, _ generation: UInt32) -> GroupKeyMessage {
  GroupKeyMessage(
    publicID: publicID, generation: generation, wrapped: [UInt8(truncatingIfNeeded: generation)])
}

extension [HubAction] {
  /// Who was refused, and how.
  var refusals: [SessionID: RefusalCode] {
    var refusals: [SessionID: RefusalCode] = [:]
    for case .close(let session, let refused?) in self { refusals[session] = refused.code }
    return refusals
  }

  /// What was sent to one session, in order.
  func messages(to session: SessionID) -> [Message] {
    compactMap {
      if case .send(let message, let to) = $0, to.contains(session) { message } else { nil }
    }
  }

  /// Who gets frames, in order.
  var framed: [SessionID] {
    compactMap { if case .frame(_, let session) = $0 { session } else { nil } }
  }

  /// What owners are asked for.
  var uploads: [ChunkRequest] {
    compactMap {
      if case .send(.uploadChunkRequest(let request), _) = $0 { request } else { nil }
    }
  }

  func failures(to session: SessionID) -> [ChunkFailure] {
    messages(to: session).compactMap {
      if case .chunkFailed(let failure) = $0 { failure } else { nil }
    }
  }
}
