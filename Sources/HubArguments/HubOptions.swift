package import ArgumentParser
import Core
package import Runtime

/// Settings of a hub, for `fshare-hub` and `fsharefs --host` alike.
package struct HubOptions: ParsableArguments {
  @Option(help: "Seconds after which a lost member counts as gone (default 120).")
  package var grace: Int?

  @Option(help: "Seconds for which the hub keeps leaves at hand (default 60).")
  package var chunkSeconds: Int?

  @Option(help: "MiB of leaves that the hub keeps at hand at most (default 128).")
  package var chunkCache: Int?

  /// Names of those that were given.
  package var given: Set<String> {
    Set(
      [("grace", grace), ("chunk-seconds", chunkSeconds), ("chunk-cache", chunkCache)]
        .filter { $0.1 != nil }.map(\.0))
  }

  package init() {}

  package func apply(to settings: inout HubRuntime.Settings) throws(Ending) {
    for (name, value) in [
      ("--grace", grace), ("--chunk-seconds", chunkSeconds), ("--chunk-cache", chunkCache),
    ] {
      guard let value, !(0...1_000_000).contains(value) else { continue }
      throw Ending(.usage, "\(name) \(value): a whole number from 0 to 1000000")
    }
    if let grace { settings.hub.grace = .seconds(grace) }
    if let chunkSeconds { settings.hub.relay.lifetime = .seconds(chunkSeconds) }
    if let chunkCache { settings.hub.relay.cacheLimit = chunkCache << 20 }
  }
}
