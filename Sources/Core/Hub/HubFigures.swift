package import Protocol

/// What the hub counts, for whoever looks after it: numbers, never whose.
package struct HubFigures: Equatable, Sendable {
  /// Clients that were let in, the master not among them, by where they are.
  package internal(set) var online = 0
  package internal(set) var away = 0
  package internal(set) var gone = 0
  /// Clients that wait for approval, connected or not.
  package internal(set) var waiting = 0
  package internal(set) var disapproved = 0
  package internal(set) var masterIsOnline = false
  /// Leaves that were asked of their owners and have not come.
  package internal(set) var flights = 0
  /// Leaves that askers have asked for and that were not asked of their owners yet.
  package internal(set) var wanted = 0
  /// Leaves at hand.
  package internal(set) var cachedLeaves = 0
  package internal(set) var cachedBytes = 0
  /// Leaves that askers got from what was at hand, and such as owners were asked for.
  package internal(set) var hits: UInt64 = 0
  package internal(set) var misses: UInt64 = 0
  /// Messages of clients that wait for the master, and that it has not answered.
  package internal(set) var waitingForMaster = 0
  package internal(set) var unansweredByMaster = 0

  /// Nothing was counted yet.
  package init() {}
}

extension Hub {
  /// What there is to count now. Complexity: O(clients + askers).
  package var figures: HubFigures {
    var figures = HubFigures()
    for client in clients.sorted {
      if client.record.publicID == .master {
        figures.masterIsOnline = client.session != nil
        continue
      }
      switch (client.record.admission, client.presence) {
      case (.waiting, _): figures.waiting += 1
      case (.disapproved, _): figures.disapproved += 1
      case (.approved, .online): figures.online += 1
      case (.approved, .away): figures.away += 1
      case (.approved, .gone): figures.gone += 1
      }
    }
    figures.flights = relay.flights.count
    figures.wanted = relay.askers.values.reduce(0) { $0 + $1.wanted.count }
    figures.cachedLeaves = relay.cache.count
    figures.cachedBytes = relay.cache.bytes
    (figures.hits, figures.misses) = (relay.hits, relay.misses)
    for load in forwarding.loads.values {
      figures.waitingForMaster += load.waiting
      figures.unansweredByMaster += load.unanswered
    }
    return figures
  }

  /// Who speaks on a session; nil where it has not registered, or is held.
  package func publicID(of session: SessionID) -> PublicID? {
    if case .registered(let publicID) = sessions[session] { publicID } else { nil }
  }

  /// Whether a client is in; nil for one that the hub does not know.
  package func admission(of publicID: PublicID) -> Admission? {
    clients[publicID]?.record.admission
  }
}

// MARK: - Settings

extension Hub {
  /// Goes on with other settings: for what begins from now on.
  package mutating func use(_ settings: Settings) {
    self.settings = settings
    relay.use(settings.relay)
    forwarding.use(settings.forwarding)
  }
}
