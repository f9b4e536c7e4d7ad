package import ArgumentParser
package import Runtime

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

  private var values: [(name: String, value: Int?)] {
    [
      ("grace", grace), ("chunk-seconds", chunkSeconds), ("chunk-cache", chunkCache),
      ("max-connections", maxConnections), ("max-waiting", maxWaiting), ("max-queue", maxQueue),
      ("max-requests", maxRequests), ("max-rate", maxRate), ("max-changes", maxChanges),
      ("max-questions", maxQuestions), ("handshake-seconds", handshakeSeconds),
    ]
  }

  /// Names of those that were given.
  package var given: Set<String> {
    Set(values.filter { $0.value != nil }.map(\.name) + (tagFrames ? ["tag-frames"] : []))
  }

  /// Throws: an ending with code 64 for what makes no sense.
  package func apply(to settings: inout HubRuntime.Settings) throws(Ending) {
    for (name, value) in values {
      if let value { try settings.set(name, to: value, dashes: "--") }
    }
    if tagFrames { settings.tagsAll = true }
  }
}
