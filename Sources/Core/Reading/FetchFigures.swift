import Protocol

/// What the fetcher tells about one file, for people.
package struct FetchFigures: Sendable {
  package let content: Content
  /// Streams that read it.
  package internal(set) var opened = 0
  /// Reads that wait for leaves of it, and the time that the first of them has left; nil while it
  /// has none.
  package internal(set) var waiting = 0
  package internal(set) var timeLeft: Duration?
  /// Leaves in memory.
  package internal(set) var cached = 0
  /// Leaves on their way, put off because somebody was busy, and not asked for yet.
  package internal(set) var asked = 0
  package internal(set) var postponed = 0
  package internal(set) var parked = 0
  /// How far ahead of its readers leaves are fetched at most, bytes.
  package internal(set) var window: UInt64 = 0
  package internal(set) var isPaused = false
  /// Whether its owner is away or gone, in the hub's word.
  package internal(set) var isOwnerLost = false
  /// Bytes that came, and per second; nil where none came lately.
  package internal(set) var bytes: UInt64?
  package internal(set) var rate: Double?
}

extension ChunkFetcher {
  /// Whether so much is on its way that nothing is fetched ahead of readers.
  package var isBudgetFull: Bool { bytesOnTheirWay + Limits.leaf > settings.budget / 2 }

  /// Whether the streams that carry leaves are open.
  package var isLinkReady: Bool { linkIsReady }

  /// What is known of one version of a file. Complexity: O(leaves in memory + reads + flights).
  package func figures(of content: Content, now: Instant) -> FetchFigures {
    var figures = FetchFigures(content: content)
    func isOfIt(_ key: LeafKey) -> Bool { key.content == content.name }
    for stream in streams.values where stream.content == content {
      figures.opened += 1
      figures.window = max(figures.window, stream.window)
    }
    for read in reads.values where read.content == content {
      figures.waiting += 1
      guard let deadline = read.deadline else { continue }
      figures.timeLeft = min(figures.timeLeft ?? deadline - now, deadline - now)
    }
    for (key, flight) in flights where isOfIt(key) {
      switch flight.state {
      case .asked, .recalling: figures.asked += 1
      case .postponed: figures.postponed += 1
      case .parked: figures.parked += 1
      }
    }
    figures.cached = cache.count(where: isOfIt)
    figures.isPaused = pausedEntries.contains(content.file)
    figures.isOwnerLost = lostOwners.contains(content.owner)
    if let flow = meter[content.name] {
      figures.bytes = flow.bytes
      figures.rate = flow.rate(now: now)
    }
    return figures
  }

  /// The versions that are being read now: those that somebody waits for, and those of which
  /// something came a moment ago.
  package func activeContents(within time: Duration, now: Instant) -> [Content] {
    let active = Set(meter.active(within: time, now: now))
    var contents = Set(reads.values.map(\.content))
    for stream in streams.values {
      let content = stream.content
      if active.contains(content.name) {
        contents.insert(content)
      }
    }
    return contents.sorted { $0.name < $1.name }
  }
}
