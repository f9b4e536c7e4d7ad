package import ArgumentParser
import Core
package import Runtime
import Transport

/// Settings of a hub, for `fshare-hub` and `fsharefs --host` alike.
package struct HubOptions: ParsableArguments {
  @Option(help: "Seconds after which a lost member counts as gone (default 120).")
  package var grace: Int?

  @Option(help: "Seconds for which the hub keeps leaves at hand (default 60).")
  package var chunkSeconds: Int?

  @Option(help: "MiB of leaves that the hub keeps at hand at most (default 128).")
  package var chunkCache: Int?

  @Option(help: "Connections that the hub has at a time (default 4096).")
  package var maxConnections: Int?

  @Option(help: "Clients that may wait for approval at a time (default 1000).")
  package var maxWaiting: Int?

  @Option(help: "MiB of messages that may queue for one member (default 32).")
  package var maxQueue: Int?

  @Option(help: "Leaves that one member may have asked for at a time (default 4096).")
  package var maxRequests: Int?

  @Option(help: "Messages of one member that the hub takes in a second (default 50000).")
  package var maxRate: Int?

  @Option(help: "Changes that one member may propose in a second (default 10000).")
  package var maxChanges: Int?

  @Option(help: "Questions for the list that one member may ask in a second (default 200).")
  package var maxQuestions: Int?

  @Flag(help: "Mark the frames of members on this machine too, as those of others are.")
  package var tagFrames = false

  @Option(help: "Seconds in which a connection must say who it is (default 10).")
  package var handshakeSeconds: Int?

  package init() {}

  private var values: [(name: String, value: Int?, range: ClosedRange<Int>)] {
    [
      ("grace", grace, 0...1_000_000), ("chunk-seconds", chunkSeconds, 0...1_000_000),
      ("chunk-cache", chunkCache, 0...1_000_000),
      ("max-connections", maxConnections, 8...1_000_000),
      ("max-waiting", maxWaiting, 0...1_000_000),
      // The longest message must fit several times over, and so must the longest request.
      ("max-queue", maxQueue, 1...65_536), ("max-requests", maxRequests, 64...1_000_000),
      ("max-rate", maxRate, 10...10_000_000), ("max-changes", maxChanges, 1...1_000_000),
      ("max-questions", maxQuestions, 1...1_000_000),
      ("handshake-seconds", handshakeSeconds, 1...3_600),
    ]
  }

  /// Names of those that were given.
  package var given: Set<String> {
    Set(values.filter { $0.value != nil }.map(\.name) + (tagFrames ? ["tag-frames"] : []))
  }

  /// Throws: an ending with code 64 for what makes no sense.
  package func apply(to settings: inout HubRuntime.Settings) throws(Ending) {
    for (name, value, range) in values {
      guard let value, !range.contains(value) else { continue }
      throw Ending(
        .usage,
        "--\(name) \(value): a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    if let grace { settings.hub.grace = .seconds(grace) }
    if let chunkSeconds { settings.hub.relay.lifetime = .seconds(chunkSeconds) }
    if let chunkCache { settings.hub.relay.cacheLimit = chunkCache << 20 }
    if let maxConnections { settings.transport.connections = maxConnections }
    if let maxWaiting { settings.hub.waitingLimit = maxWaiting }
    if let maxQueue { settings.transport.controlQueueBytes = maxQueue << 20 }
    if let maxRequests { settings.hub.relay.wantedLimit = maxRequests }
    if let maxRate { settings.transport.messagesPerSecond = maxRate }
    if let maxChanges { settings.hub.forwarding.changesPerSecond = maxChanges }
    if let maxQuestions { settings.hub.forwarding.questionsPerSecond = maxQuestions }
    if tagFrames { settings.tagsAll = true }
    if let handshakeSeconds {
      settings.hub.handshake = .seconds(handshakeSeconds)
      settings.transport.headTime = .seconds(handshakeSeconds)
    }
  }
}
