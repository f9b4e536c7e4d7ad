import Protocol
import System

/// By which of its addresses the hub is reached. Service thread only.
extension HubLink {
  /// Finds the addresses of the session's hub, and connects to the first that answers.
  func findRoute(_ session: LinkSession) {
    if let address = HostLookUp.numeric(address.host) {
      begin(session, by: [address])
      return
    }
    // One look-up at a time, however long it takes: its answer is for whoever waits for it then.
    guard !isLookingUp else { return }
    isLookingUp = true
    let (host, lookUp) = (address.host, lookUp)
    do throws(SystemError) {
      // Never joined: nobody can say when the resolver comes back, and nobody waits for it to end.
      _ = try Thread.start(name: "look-up") { [weak self] in
        let answer = lookUp(host)
        self?.perform { [weak self] in self?.lookedUp(answer) }
      }
    } catch {
      isLookingUp = false
      end(.unreachable("\(address): \(error)"))
    }
  }

  private func lookedUp(_ answer: HostLookUp) {
    isLookingUp = false
    guard let session, session.failure == nil, session.route == nil else { return }
    switch answer {
    case .found(let addresses): begin(session, by: addresses)
    case .unknown where !also.isEmpty, .failed where !also.isEmpty: begin(session, by: [])
    case .unknown: end(.unknownHost(address.host))
    case .failed(let reason): end(.unreachable("\(address): \(reason)"))
    }
  }

  /// Connects to the first address that answers: of those that the name stands for, and of the
  /// others.
  private func begin(_ session: LinkSession, by named: [String]) {
    var addresses = named + also.filter { !named.contains($0) }
    session.named = Set(named)
    if let lastRoute, let place = addresses.firstIndex(of: lastRoute) {
      addresses.insert(addresses.remove(at: place), at: 0)
    }
    // One that did not answer at all is not the first again.
    let first = silentRoutes % addresses.count
    session.routes = addresses[first...] + addresses[..<first]
    tryNextRoute(session)
  }

  /// Whether what is connected to is an address that others have said to be the hub's, and the name
  /// does not stand for: another network may have another machine there.
  func isElsewhere(_ session: LinkSession) -> Bool {
    session.route.map { !session.named.contains($0) } ?? false
  }

  /// Begins the control plane by the next address, if there is one. Returns: whether there is.
  @discardableResult
  func tryNextRoute(_ session: LinkSession) -> Bool {
    guard session.failure == nil, session.mistrust == nil || isElsewhere(session),
      session.control == nil, let route = session.routes.popFirst()
    else { return false }
    session.mistrust = nil
    session.route = route
    let leg = newLeg()
    session.controlLeg = leg
    connect(leg, raw: false, by: route)
    return true
  }

  /// What is said where nothing came of a leg in time. Whoever is connected to then is another
  /// address, if the hub has several.
  func gaveUp(_ session: LinkSession) -> LinkFailure {
    if session.route == nil {
      return .unreachable("\(address): the name servers do not answer")
    }
    if session.control == nil { silentRoutes += 1 }
    return .unreachable("\(address) does not answer")
  }
}
