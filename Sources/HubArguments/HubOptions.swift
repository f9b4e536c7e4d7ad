package import ArgumentParser
package import Runtime

/// Settings of a hub, for `fshare-hub` and `fsharefs --host` alike.
package struct HubOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Seconds after which a lost member counts as gone (default 120).", valueName: "seconds"))
  package var grace: Int?

  @Option(
    help: ArgumentHelp(
      "Seconds for which the hub keeps leaves at hand (default 60).", valueName: "seconds"))
  package var chunkSeconds: Int?

  @Option(
    help: ArgumentHelp(
      "MiB of leaves that the hub keeps at hand at most (default 128).", valueName: "mib"))
  package var chunkCache: Int?

  @Option(
    help: .limit("Connections that the hub has at a time (default 4096).", "number"))
  package var maxConnections: Int?

  @Option(
    help: .limit("Clients that may wait for approval at a time (default 1000).", "number"))
  package var maxWaiting: Int?

  @Option(
    help: .limit("MiB of messages that may queue for one member (default 32).", "mib"))
  package var maxQueue: Int?

  @Option(
    help: .limit("Leaves that one member may have asked for at a time (default 4096).", "number"))
  package var maxRequests: Int?

  @Option(
    help: .limit("Messages of one member that the hub takes in a second (default 50000).", "number")
  )
  package var maxRate: Int?

  @Option(
    help: .limit("Changes that one member may propose in a second (default 10000).", "number"))
  package var maxChanges: Int?

  @Option(
    help: .limit(
      "Questions for the list that one member may ask in a second (default 200).", "number"))
  package var maxQuestions: Int?

  @Flag(
    help: ArgumentHelp(
      "Mark the frames of members on this machine too, as those of others are.",
      visibility: .hidden))
  package var tagFrames = false

  @Option(
    help: .limit("Seconds in which a connection must say who it is (default 10).", "seconds"))
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
