import Core
import Glibc
import Protocol
import System

/// What of the cache is kept, and does not go out.
extension DiskCache {
  /// Bytes on the disk that are kept. Any thread.
  package var keptBytes: Int { state.withLock { $0.index.keptBytes } }

  /// Why the disk does not take leaves now; nil where it does. Any thread.
  var fault: SystemError? { state.withLock { $0.restsUntil == nil ? nil : $0.fault } }

  /// Nothing goes out until a look over what is kept has ended. Call before anything is written.
  package func holdAll() { state.withLock { $0.index.holdsAll = true } }

  /// Keeps what is there of a part of a version. `look`: which look over what is kept meets it.
  func keep(_ segment: CacheSegment, in look: UInt32) {
    state.withLock { $0.index.keep(segment, in: look) }
  }

  /// The leaves of a part of a version, of which it has so many, that are not there: a bit for
  /// each. Blocks on the disk where the part was not looked into since the start.
  func missing(in segment: CacheSegment, leaves: Int) -> UInt64 {
    let known = state.withLock { $0.index.slots(of: segment) }
    let all: UInt64 = leaves >= CacheSegment.leaves ? .max : (1 << UInt64(leaves)) - 1
    return all & ~(known ?? learned(segment))
  }

  private func learned(_ segment: CacheSegment) -> UInt64 {
    do throws(SystemError) {
      let slots = Self.slots(try folder.lengths(try folder.open(segment)))
      return state.withLock { state in
        state.index.learn(segment, slots: slots)
        // A leaf may have been written meanwhile.
        return state.index.slots(of: segment) ?? 0
      }
    } catch {
      if error.code != ENOENT { complain(error) }
      state.withLock { $0.index.remove(segment) }
      return 0
    }
  }

  /// A look over what is kept has met all of it. Any thread.
  func endKeeping(in look: UInt32) {
    let surplus = state.withLock { state in
      state.index.endKeeping(in: look, now: MonotonicClock.now)
      return state.index.shrink(to: limit, but: nil)
    }
    guard !surplus.isEmpty else { return }
    _ = writer.submit { [folder] in
      for segment in surplus { folder.remove(segment) }
    }
  }

  /// Waits until what came before this call is written, or could not be. Not on a thread of the
  /// cache.
  func settle() {
    let isSettled = Monitor(false)
    guard writer.submit({ isSettled.update { $0 = true } }) else { return }
    _ = isSettled.wait { $0 ? true : nil }
  }

  /// Bytes that wait to be written. Any thread.
  var waitingBytes: Int { state.withLock { $0.waitingBytes } }

  /// How long the disk is left alone yet; nil: it is not.
  var restsUntil: Instant? { state.withLock { $0.restsUntil } }
}
