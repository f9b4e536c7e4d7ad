package import Protocol

/// What comes back of what the fetcher asked for, and what time and the network do to it.
extension ChunkFetcher {
  /// Whether a leaf was asked for, under this very key, and has not come.
  package func wants(_ sealed: LeafKey) -> Bool {
    flights[sealed.sealed(0)]?.generation == sealed.generation
  }

  /// A leaf came and was opened. One that was not asked for, or was under another key, is dropped;
  /// by which way it comes does not matter, since it is the same.
  package mutating func arrived(
    _ sealed: LeafKey, _ leaf: Leaf, by way: ChunkWay = .hub, now: Instant,
    into actions: inout [FetchAction]
  ) {
    noteWell(sealed.owner, way)
    let key = sealed.sealed(0)
    guard flights[key]?.generation == sealed.generation,
      let flight = flights.removeValue(forKey: key)
    else { return }
    meter.note(key, bytes: leaf.count, now: now)
    if way != .hub {
      counts.direct += UInt64(leaf.count)
    }
    counts.received += UInt64(leaf.count)
    rates[key.owner, default: DeliveryRate(now: now)].arrived(leaf.count, now: now)
    deliver(key, leaf, to: flight, into: &actions)
  }

  /// Keeps a leaf, and answers the reads that needed nothing but it.
  mutating func deliver(
    _ key: LeafKey, _ leaf: Leaf, to flight: Flight, into actions: inout [FetchAction]
  ) {
    cache.insert(leaf, for: place(of: key, leaf))
    for token in flight.waiters {
      guard let read = reads[token] else { continue }
      guard leaf.count == read.content.length(of: key.index, scale: key.scale) else {
        cache.remove { $0 == key }
        fail(token, .unreadable, into: &actions)
        continue
      }
      let place = Int(key.index - read.offset >> UInt64(key.scale))
      reads[token]!.leaves[place] = leaf
      reads[token]!.missing -= 1
      if reads[token]!.missing == 0 {
        let read = reads.removeValue(forKey: token)!
        actions.append(.reply(token, slices(of: read)))
        spend(read)
      }
    }
    cache.shrink(to: max(0, settings.budget - bytesOnTheirWay))
  }

  /// A leaf came and could not be opened: once more from its owner, past every cache; then it is an
  /// error.
  package mutating func couldNotOpen(
    _ sealed: LeafKey, now: Instant, into actions: inout [FetchAction]
  ) {
    let key = sealed.sealed(0)
    guard let flight = flights[key], flight.generation == sealed.generation else { return }
    if flight.isSecondTry {
      flights[key] = nil
      for token in flight.waiters { fail(token, .unreadable, into: &actions) }
    } else {
      flights[key]!.isSecondTry = true
      ask([key], now: now, into: &actions)
    }
  }

  /// CHUNK_FAILED.
  package mutating func failed(
    _ failure: ChunkFailure, by way: ChunkWay = .hub, now: Instant,
    into actions: inout [FetchAction]
  ) {
    noteWell(failure.owner, way)
    var elsewhere: [LeafKey] = []
    defer { ask(elsewhere, now: now, into: &actions) }
    let isForHub = way != .hub && [.shared, .denied].contains(failure.reason)
    if isForHub, failure.reason == .shared {
      noteShared(failure.key(0).content, for: .milliseconds(failure.retryAfter), now: now)
    } else if isForHub {
      rest(failure.owner, now: now)
    }
    for offset in 0..<failure.count {
      let key = failure.key(offset).sealed(0)
      // What is asked for another way by now is answered there.
      guard let flight = flights[key], flight.generation == failure.generation, flight.way == way
      else { continue }
      if isForHub {
        flights[key]!.state = .parked
        flights[key]!.staysWithHub = true
        elsewhere.append(key)
        continue
      }
      if flight.waiters.isEmpty {
        flights[key] = nil
        continue
      }
      switch failure.reason {
      case .away: flights[key]!.state = .parked
      case .busy:
        postpone(key, by: .milliseconds(max(50, min(failure.retryAfter, 5_000))), now: now)
      case .gone: giveUp(key, .gone, into: &actions)
      case .changed: changed(key, now: now, into: &actions)
      case .denied: giveUp(key, .denied, into: &actions)
      case .unreadable: giveUp(key, .unreadable, into: &actions)
      case .stale where flight.generation != generation: ask([key], now: now, into: &actions)
      // The new key is on its way to one of the two.
      case .stale: postpone(key, by: .milliseconds(100), now: now)
      // A hub says no such thing.
      case .shared: postpone(key, by: .milliseconds(100), now: now)
      }
    }
  }

  /// The hub's word on where an owner is.
  package mutating func presenceChanged(
    _ owner: PublicID, _ presence: Presence, now: Instant, into actions: inout [FetchAction]
  ) {
    switch presence {
    case .online:
      lostOwners.remove(owner)
      goneOwners.remove(owner)
      askParked(now: now, into: &actions)
    case .away:
      goneOwners.remove(owner)
      lose(owner)
    case .gone:
      lose(owner)
      goneOwners.insert(owner)
      for key in sortedFlights where key.owner == owner { giveUp(key, .gone, into: &actions) }
    }
  }

  /// The group has a new key: what is asked for from now on is asked for under it. What is on its
  /// way under the old one is still taken.
  package mutating func rekeyed(_ generation: UInt32) { self.generation = generation }

  /// The master has put an owner out, or let it in again. Nothing of one who is out is kept or
  /// answered.
  package mutating func ownerDecided(
    _ owner: PublicID, isIn: Bool, into actions: inout [FetchAction]
  ) {
    if isIn {
      deniedOwners.remove(owner)
      return
    }
    deniedOwners.insert(owner)
    cache.remove { $0.owner == owner }
    for key in sortedFlights where key.owner == owner { giveUp(key, .denied, into: &actions) }
  }

  /// The bulk streams are open: what waited for them is asked for.
  package mutating func linkReady(now: Instant, into actions: inout [FetchAction]) {
    linkIsReady = true
    isDenied = false
    askParked(now: now, into: &actions)
  }

  /// The connection is lost: what was asked for will be asked for again.
  package mutating func linkLost() {
    linkIsReady = false
    park { _ in true }
  }

  /// Drops what is cached, and answers what waits, of every owner: this member was disapproved.
  package mutating func disapproved(into actions: inout [FetchAction]) {
    linkIsReady = false
    isDenied = true
    cache.remove { _ in true }
    for key in sortedFlights { giveUp(key, .denied, into: &actions) }
  }

  /// Time has passed: deadlines, leaves that take too long, leaves that were put off.
  package mutating func tick(now: Instant, into actions: inout [FetchAction]) {
    while let first = deadlines.first, now >= first.at || reads[first.token]?.deadline != first.at {
      deadlines.removeFirst()
      guard let read = reads[first.token], read.deadline == first.at else { continue }
      streams[read.stream]?.timedOut(now: now)
      fail(first.token, .timedOut, into: &actions)
    }
    if let idleSince, now >= idleSince + settings.idleTime { cache.remove { _ in true } }
    guard let check = nextCheck, now >= check else { return }
    restStalled(now: now, into: &actions)
    var again: [LeafKey] = []
    var forsaken: [LeafKey] = []
    for key in sortedFlights {
      let flight = flights[key]!
      switch flight.state {
      case .asked(let at) where now >= at + settings.patience:
        if flight.waiters.isEmpty {
          flights[key] = nil
        } else {
          // A line may be slow without being silent: what it did not give in time the hub gives.
          if flight.way != .hub { flights[key]!.staysWithHub = true }
          again.append(key)
        }
      case .postponed(let until) where now >= until: again.append(key)
      case .recalling(let since) where now >= since + Self.recallPatience: forsaken.append(key)
      default: break
      }
    }
    let isDirect = !lines.isEmpty && flights.values.contains { $0.way != .hub }
    let interval = isDirect ? Self.stallsAfter / 2 : settings.patience / 4
    nextCheck = flights.isEmpty ? nil : now + interval
    ask(again, now: now, into: &actions)
    notRecalled(forsaken, now: now, into: &actions)
  }

  private var sortedFlights: [LeafKey] {
    flights.keys.sorted { ($0.content, $0.index) < ($1.content, $1.index) }
  }

  private mutating func askParked(now: Instant, into actions: inout [FetchAction]) {
    ask(sortedFlights.filter { flights[$0]!.state == .parked }, now: now, into: &actions)
  }

  private mutating func lose(_ owner: PublicID) {
    lostOwners.insert(owner)
    park { $0.owner == owner }
  }

  /// Keeps what somebody waits for; what was only fetched ahead is dropped.
  private mutating func park(_ isAffected: (LeafKey) -> Bool) {
    for key in flights.keys.filter(isAffected) {
      if flights[key]!.waiters.isEmpty {
        flights[key] = nil
      } else {
        flights[key]!.state = .parked
      }
    }
  }

  private mutating func postpone(_ key: LeafKey, by delay: Duration, now: Instant) {
    flights[key]!.state = .postponed(until: now + delay)
    nextCheck = min(nextCheck ?? now + delay, now + delay)
  }

  private mutating func giveUp(
    _ key: LeafKey, _ reason: ReadFailure, into actions: inout [FetchAction]
  ) {
    guard let flight = flights.removeValue(forKey: key) else { return }
    for token in flight.waiters { fail(token, reason, into: &actions) }
  }

  mutating func fail(
    _ token: ReadToken, _ reason: ReadFailure, into actions: inout [FetchAction]
  ) {
    guard let read = reads.removeValue(forKey: token) else { return }
    forget(token, read)
    actions.append(.fail(token, reason))
  }
}
