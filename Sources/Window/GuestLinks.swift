import Logging
import State
import System

/// What a guest's link is for.
struct GuestLink: Codable, Sendable {
  var id: String
  /// Only its hash is kept: whoever loses a link makes another.
  var secretHash: String
  /// As it stands in an address.
  var path: String
  var isDrop: Bool
  /// Where what a guest leaves goes, as it stands in an address.
  var dropPath: String?
  /// Seconds since 1970; nil: it has no end.
  var until: Int64?
  var created: Int64
  var opened = 0
  var bytes: UInt64 = 0
  var files = 0
  /// Bytes per second; nil: there is no limit.
  var rate: UInt64?
  /// Bytes that may be left.
  var maxBytes: UInt64 = GuestLinks.dropBytes

  func isOver(now: Int64) -> Bool { until.map { $0 <= now } ?? false }
}

/// The links that guests have.
final class GuestLinks: Sendable {
  /// Links at once.
  static let limit = 64
  /// What may be left by one link where nothing else was said.
  static let dropBytes: UInt64 = 10 << 30
  /// Files that may be left by one link.
  static let dropFiles = 10_000

  struct Kept: Codable, Sendable {
    var links: [GuestLink] = []
  }

  private let kept: KeptState<Kept>
  private let meters = Locked<[String: GuestMeter]>([:])
  /// Counts the changes.
  private let changes = Locked<UInt64>(0)

  init(folder: String, log: Logger) {
    kept = KeptState(.guests, in: folder, initially: Kept(), log: log)
  }

  /// Those that are not over.
  var all: [GuestLink] {
    let now = WallClock.seconds
    return kept.value.links.filter { !$0.isOver(now: now) }
  }

  func link(_ id: String) -> GuestLink? { all.first { $0.id == id } }

  /// The link with this id and secret.
  func link(_ id: String, secret: String) -> GuestLink? {
    guard let link = link(id), link.secretHash == Secret.hash(secret) else { return nil }
    return link
  }

  /// Makes one. nil: there are too many. Blocks.
  func add(_ link: GuestLink) throws(SystemError) -> Bool {
    let now = WallClock.seconds
    return try kept.change { kept in
      kept.links.removeAll { $0.isOver(now: now) }
      guard kept.links.count < Self.limit else { return false }
      kept.links.append(link)
      return true
    }
  }

  /// Ends one, for those too who are using it. False where there is none. Blocks.
  func end(_ id: String) throws(SystemError) -> Bool {
    let isEnded = try kept.change { kept in
      let count = kept.links.count
      kept.links.removeAll { $0.id == id }
      return kept.links.count < count
    }
    meters.withLock { $0.removeValue(forKey: id) }?.end()
    return isEnded
  }

  /// Notes something about a link, which need not outlive the process.
  func note(_ id: String, _ body: (inout GuestLink) -> Void) {
    kept.note { kept in
      if let index = kept.links.firstIndex(where: { $0.id == id }) { body(&kept.links[index]) }
    }
  }

  /// What counts and slows what goes by a link, whoever uses it.
  func meter(of link: GuestLink) -> GuestMeter {
    meters.withLock { meters in
      if let known = meters[link.id] { return known }
      let id = link.id
      let meter = GuestMeter(rate: link.rate, until: link.until) { [weak self] count in
        self?.note(id) { $0.bytes += UInt64(count) }
      }
      meters[id] = meter
      return meter
    }
  }
}
