package import Protocol

/// Pausing: reads of paused files wait without a deadline, and nothing is fetched for them. What
/// was fetched before is still there, and what was on its way is still taken.
extension ChunkFetcher {
  /// From now on these files are paused, and no others.
  package mutating func pause(
    _ entries: Set<EntryKey>, now: Instant, into actions: inout [FetchAction]
  ) {
    let resumed = pausedEntries.subtracting(entries)
    let paused = entries.subtracting(pausedEntries)
    pausedEntries = entries
    for token in reads.keys.sorted() {
      let entry = reads[token]!.content.file
      if paused.contains(entry) { suspend(token, now: now) }
      if resumed.contains(entry) { revive(token, now: now) }
    }
    for key in flights.keys.filter({ paused.contains($0.file) && !flights[$0]!.waiters.isEmpty }) {
      flights[key]!.state = .parked
    }
    failSurplus(into: &actions)
    meter.goOn(now: now) { resumed.contains($0.file) }
    let wanted = flights.keys.filter { resumed.contains($0.file) && isDue($0, now: now) }
    ask(wanted.sorted { ($0.content, $0.index) < ($1.content, $1.index) }, now: now, into: &actions)
  }

  /// The files that are open, each once.
  package var openEntries: Set<EntryKey> { Set(streams.values.map(\.content.file)) }

  /// A program closed one of its descriptors of a paused file, maybe because it was killed: what
  /// the kernel asked for on its behalf waits for nobody, or is asked for again by who still has it
  /// open.
  package mutating func abandonPaused(_ stream: StreamID, into actions: inout [FetchAction]) {
    guard let entry = streams[stream]?.content.file, pausedEntries.contains(entry) else { return }
    for token in reads.keys.sorted() where reads[token]!.stream == stream {
      fail(token, .abandoned, into: &actions)
    }
  }

  /// Whether leaves of this file may not be asked for now.
  func isHeld(_ file: EntryKey) -> Bool {
    isLost(file.owner) || pausedEntries.contains(file)
  }

  /// Whether one more read may wait for a pause or a lost owner. Complexity: O(reads).
  var mayHoldMore: Bool { heldReads.count < settings.heldLimit }

  /// A read of a paused file keeps the time that it has left.
  mutating func suspend(_ token: ReadToken, now: Instant) {
    guard let deadline = reads[token]?.deadline else { return }
    reads[token]!.timeLeft = max(.zero, deadline - now)
    reads[token]!.deadline = nil
  }

  /// A read of a file that goes on has the rest of its time.
  private mutating func revive(_ token: ReadToken, now: Instant) {
    guard let timeLeft = reads[token]?.timeLeft else { return }
    let deadline = now + timeLeft
    reads[token]!.deadline = deadline
    reads[token]!.timeLeft = nil
    let place = deadlines.lastIndex { $0.at <= deadline }.map { $0 + 1 } ?? 0
    deadlines.insert((deadline, token), at: place)
  }

  /// In the order in which they came.
  private var heldReads: [ReadToken] {
    reads.filter { isHeld($0.value.content.file) }.keys.sorted()
  }

  /// A pause may hold more reads than may be held: the latest are refused.
  private mutating func failSurplus(into actions: inout [FetchAction]) {
    for token in heldReads.dropFirst(settings.heldLimit) {
      if pausedEntries.contains(reads[token]!.content.file) {
        fail(token, .tooManyHeld, into: &actions)
      }
    }
  }

  private func isDue(_ key: LeafKey, now: Instant) -> Bool {
    switch flights[key]!.state {
    case .parked, .postponed: true
    case .asked(let at): now >= at + settings.patience
    case .recalling: false
    }
  }
}
