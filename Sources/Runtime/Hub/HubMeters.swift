import Core
import CoreMetrics

/// What the hub counts. Where nobody wants to see it, swift-metrics throws it away.
final class HubMeters: Sendable {
  let connections = Counter(label: "fshare_hub_connections_opened_total")
  let refused = Counter(label: "fshare_hub_refused_total")
  let messages = Counter(label: "fshare_hub_messages_total")
  let bytesUp = Counter(label: "fshare_hub_relayed_bytes_total", dimensions: [("direction", "up")])
  let bytesDown = Counter(
    label: "fshare_hub_relayed_bytes_total", dimensions: [("direction", "down")])
  let registryIsWritable = Meter(label: "fshare_hub_registry_writable")
  private let connected = Meter(label: "fshare_hub_connections")
  private let strangers = Meter(label: "fshare_hub_strangers")
  private let master = Meter(label: "fshare_hub_master_online")
  private let clients = ["online", "away", "gone", "waiting", "disapproved"].map {
    Meter(label: "fshare_hub_clients", dimensions: [("state", $0)])
  }
  private let leaves = Meter(label: "fshare_hub_leaves_kept")
  private let leafBytes = Meter(label: "fshare_hub_leaves_kept_bytes")
  private let asked = Meter(label: "fshare_hub_leaves_asked")
  private let wanted = Meter(label: "fshare_hub_leaves_wanted")
  private let hits = Follower("fshare_hub_leaf_hits_total")
  private let misses = Follower("fshare_hub_leaf_misses_total")
  private let queue = Meter(label: "fshare_hub_master_queue")
  private let unanswered = Meter(label: "fshare_hub_master_unanswered")

  /// Brings them up to date.
  func show(_ figures: HubFigures, connections: Int, strangers: Int) {
    connected.set(connections)
    self.strangers.set(strangers)
    master.set(figures.masterIsOnline ? 1 : 0)
    let counts = [
      figures.online, figures.away, figures.gone, figures.waiting, figures.disapproved,
    ]
    for (meter, count) in zip(clients, counts) { meter.set(count) }
    leaves.set(figures.cachedLeaves)
    leafBytes.set(figures.cachedBytes)
    asked.set(figures.flights)
    wanted.set(figures.wanted)
    hits.reach(figures.hits)
    misses.reach(figures.misses)
    queue.set(figures.waitingForMaster)
    unanswered.set(figures.unansweredByMaster)
  }
}
