package import Core
import Logging
package import Protocol
import Sealing
import System

/// What the group tells of others' files and their owners. Any thread; nothing here waits.
extension RemoteReading {
  /// The hub's word on where an owner is.
  package func presenceChanged(_ owner: PublicID, _ presence: Presence) {
    step { $0.presenceChanged(owner, presence, now: $1, into: &$2) }
  }

  /// The master put another member out, or let it in: what was read of one who is out is not shown
  /// again.
  package func decided(_ owner: PublicID, isIn: Bool) {
    step { $0.ownerDecided(owner, isIn: isIn, into: &$2) }
    guard !isIn else { return }
    diskCache?.forget(owner)
    namespace.changeAndTell { $0.forgetContents(of: owner) }
  }

  /// The group has a new key.
  package func rekeyed(_ generation: UInt32) { fetcher.withLock { $0.rekeyed(generation) } }

  /// The bulk streams are open.
  package func linkReady() { step { $0.linkReady(now: $1, into: &$2) } }

  /// The connection is lost.
  func linkLost() { fetcher.withLock { $0.linkLost() } }

  /// The master has decided against this client: what waits is refused, what is cached is dropped.
  func disapproved() {
    step { $0.disapproved(into: &$2) }
    diskCache?.forget(nil)
    namespace.changeAndTell { $0.forgetContents(of: nil) }
  }

  /// This member has left: a program that still holds somebody's file gets what is in memory, no
  /// more.
  package func left() { step { $0.disapproved(into: &$2) } }

  /// CHUNK_FAILED.
  package func chunkFailed(_ failure: ChunkFailure, by way: ChunkWay = .hub) {
    step { $0.failed(failure, by: way, now: $1, into: &$2) }
  }

  /// A line to an owner stands.
  package func lineOpened(_ id: LineID, to owner: PublicID) {
    fetcher.withLock { $0.lineOpened(id, to: owner, now: MonotonicClock.now) }
  }

  /// Bytes came by it; `rest`: for so long nothing more of it is read, since that is the limit.
  package func lineHeard(_ id: LineID, of owner: PublicID, rest: Duration) {
    fetcher.withLock { $0.lineHeard(id, of: owner, rest: rest, now: MonotonicClock.now) }
  }

  /// It is gone.
  package func lineClosed(_ id: LineID, to owner: PublicID) {
    step { $0.lineClosed(id, to: owner, now: $1, into: &$2) }
  }

  /// A leaf came by a line. `open`: what is in it, nil where the other end did not seal it; not
  /// asked for a leaf that nobody wants. Returns: false where it was nil.
  package func received(_ key: LeafKey, by id: LineID, open: () -> Leaf?) -> Bool {
    guard fetcher.withLock({ $0.wants(key) }) else { return true }
    guard let leaf = open() else { return false }
    step { $0.arrived(key, leaf, by: .line(id), now: $1, into: &$2) }
    diskCache?.keep(key, leaf)
    return true
  }

  /// A frame came on the downward stream. Throws where it is not one: the connection is no good.
  package func received(_ frame: consuming [UInt8]) throws(DecodingFault) {
    let key = try BulkFrame.key(of: frame)
    // Opening costs time: not for what nobody asked for.
    guard fetcher.withLock({ $0.wants(key) }) else { return }
    if let leaf = sealer.open(frame, key: key) {
      step { $0.arrived(key, leaf, now: $1, into: &$2) }
      diskCache?.keep(key, leaf)
    } else {
      budget.log(
        .warning, "leaves that could not be opened", "a leaf could not be opened",
        metadata: [
          "path": "\(namespace.shownPath(of: .other(key.file)))", "entry": "\(key.entry)",
          "owner": "\(key.owner)", "leaf": "\(key.index)",
        ])
      step { $0.couldNotOpen(key, now: $1, into: &$2) }
    }
  }
}
