import Protocol
import System
import Transport

/// Holds hub and master to the keys by which this device knows them. Who is met for the first time
/// is remembered; who has another key later is not spoken to. Any thread.
package final class GroupTrust: Sendable {
  private let known: Locked<KnownGroup>
  private let file: String
  private let keep: @Sendable (KnownGroup) throws(Ending) -> Void
  /// When a number that is not on the disk yet is tried again; nil where all is. A leaf, taken
  /// under `known`.
  private let tryAt = Locked<Duration?>(nil)
  private static let tryEvery: Duration = .seconds(5)

  /// Begins with what is `known`. `file`: where the user finds it; `keep`: writes it.
  init(
    _ known: KnownGroup, file: String,
    keep: @escaping @Sendable (KnownGroup) throws(Ending) -> Void
  ) {
    self.known = Locked(known)
    self.file = file
    self.keep = keep
  }

  /// What is known by now.
  var group: KnownGroup { known.withLock { $0 } }

  /// The hub was reached by this of its addresses: where it has several, the next start tries that
  /// one first.
  func reached(by route: String) {
    known.withLock { known in
      guard !known.also.isEmpty, known.route != route else { return }
      known.route = route
      keepLater(known)
    }
  }

  /// The hub has shown that it holds the TLS key `seen`. Returns: what the user is to hear, if
  /// anything.
  func meet(hub seen: Fingerprint) -> GroupEvent? {
    note(.firstContact(hub: seen, master: nil)) { known in
      if let remembered = known.hub, remembered != seen {
        return .hub(seen: seen, remembered: remembered, file: file)
      }
      known.hub = seen
      return nil
    }
  }

  /// The hub says that `seen` is the master's key. Returns: what the user is to hear, if anything.
  func meet(master seen: Fingerprint) -> GroupEvent? {
    note(.firstContact(hub: nil, master: seen)) { known in
      if let remembered = known.master, remembered != seen {
        return .master(seen: seen, remembered: remembered, file: file)
      }
      known.master = seen
      return nil
    }
  }

  /// The master gave the key of this generation. Returns: false where a later one was in use
  /// before, even in an earlier run: a hub that hands out old keys wants something sealed under one
  /// that was replaced. A disk that does not take the number is tried again (`tick`): reading and
  /// writing go on meanwhile.
  func takes(generation: UInt32) -> Bool {
    known.withLock { known in
      guard generation >= known.generation else { return false }
      guard generation > known.generation else { return true }
      known.generation = generation
      keepLater(known)
      return true
    }
  }

  /// Time has passed: what the disk did not take is tried again.
  func tick(now: Duration) {
    let isDue = tryAt.withLock { tryAt -> Bool in
      guard let at = tryAt, now >= at else { return false }
      tryAt = nil
      return true
    }
    if isDue { known.withLock { keepLater($0) } }
  }

  private func keepLater(_ known: KnownGroup) {
    do throws(Ending) { try keep(known) } catch {
      tryAt.withLock { $0 = MonotonicClock.now + Self.tryEvery }
    }
  }

  /// What the program ends with where the transport has met another TLS key than the one that it
  /// was to pin.
  func anotherHub(seen: Fingerprint, remembered: Fingerprint) -> Ending {
    TrustFailure.hub(seen: seen, remembered: remembered, file: file).ending
  }

  private func note(
    _ news: GroupEvent?, _ change: (inout KnownGroup) -> TrustFailure?
  ) -> GroupEvent? {
    known.withLock { known in
      var changed = known
      if let failure = change(&changed) { return .untrusted(failure.ending) }
      if changed == known { return nil }
      // What is not remembered would be trusted blindly again, so it is an end like the others.
      do throws(Ending) { try keep(changed) } catch { return .untrusted(error) }
      known = changed
      return news
    }
  }
}
