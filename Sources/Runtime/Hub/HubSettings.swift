package import Core
package import Transport

extension HubRuntime {
  /// What a hub is started with.
  package struct Settings: Sendable {
    package var hub = Hub.Settings()
    package var transport = TransportLimits()
    /// Who may have a control plane without TLS.
    package var plain = PlainPolicy.loopback
    /// Whether the frames of members on this machine are marked too.
    package var tagsAll = false
    package init() {}

    /// Connections stay below what the process may have, beside its own files, and those who wait
    /// for approval leave half of that to others. Returns: whether anything had to be lowered.
    package mutating func fit(descriptors: Int) -> Bool {
      let room = max(8, descriptors - Self.reserve)
      let connections = min(transport.connections, room)
      let waiting = min(hub.waitingLimit, room / 2)
      defer { (transport.connections, hub.waitingLimit) = (connections, waiting) }
      return connections < transport.connections || waiting < hub.waitingLimit
    }

    /// Descriptors for what is not a connection: files, pipes, and the mount of a host.
    private static let reserve = 256
  }
}

/// What may be said of a hub by name: on the command line, and in its file of settings.
extension HubRuntime.Settings {
  /// Names and the numbers that each may have.
  package static let ranges: [(name: String, range: ClosedRange<Int>)] = [
    ("grace", 0...1_000_000), ("chunk-seconds", 0...1_000_000), ("chunk-cache", 0...1_000_000),
    ("max-connections", 8...1_000_000), ("max-waiting", 0...1_000_000),
    // The longest message must fit several times over, and so must the longest request.
    ("max-queue", 1...65_536), ("max-requests", 64...1_000_000), ("max-rate", 10...10_000_000),
    ("max-changes", 1...1_000_000), ("max-questions", 1...1_000_000),
    ("handshake-seconds", 1...3_600),
  ]

  /// Takes a setting. `dashes`: what stands before its name where it is written. Throws: an ending
  /// with code 64 for a name that there is not, and for what makes no sense.
  package mutating func set(_ name: String, to value: Int, dashes: String = "") throws(Ending) {
    guard let range = Self.ranges.first(where: { $0.name == name })?.range else {
      throw Ending(.usage, "there is no setting '\(name)'")
    }
    guard range.contains(value) else {
      throw Ending(
        .usage,
        "\(dashes)\(name) \(value): a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    switch name {
    case "grace": hub.grace = .seconds(value)
    case "chunk-seconds": hub.relay.lifetime = .seconds(value)
    case "chunk-cache": hub.relay.cacheLimit = value << 20
    case "max-connections": transport.connections = value
    case "max-waiting": hub.waitingLimit = value
    case "max-queue": transport.controlQueueBytes = value << 20
    case "max-requests": hub.relay.wantedLimit = value
    case "max-rate": transport.messagesPerSecond = value
    case "max-changes": hub.forwarding.changesPerSecond = value
    case "max-questions": hub.forwarding.questionsPerSecond = value
    default:
      hub.handshake = .seconds(value)
      transport.headTime = .seconds(value)
    }
  }
}
