import Core
import Protocol
import System

/// What a file handle of the kernel stands for.
enum Handle: Sendable {
  /// An own file. `isNew`: made by this open, so it is announced at the last close at the latest.
  case own(OwnHandle)
  /// Somebody else's file, read through the fetcher.
  case remote(StreamID)
  /// A directory that is listed.
  case listing(Listing)
}

struct OwnHandle: Sendable {
  let number: InodeNumber
  let file: OwnedDescriptor
  let isWritable: Bool
  /// Whether the file is not ours to change, whatever becomes of its name here: it is shared where
  /// it lies.
  var isInPlace = false
  /// What of the disk pool's work hangs together, where the file does not answer.
  var key: WorkerPool.Key { number }
}

/// Handles by number, and those of own files by their node too: at each close it is asked who else
/// has one.
struct HandleTable: Sendable {
  private var handles: [UInt64: Handle] = [:]
  private var ownHandles: [InodeNumber: Set<UInt64>] = [:]
  private var last: UInt64 = 0

  subscript(number: UInt64) -> Handle? { handles[number] }

  mutating func add(_ handle: Handle) -> UInt64 {
    last += 1
    add(handle, as: last)
    return last
  }

  /// A number for a handle that is added under it.
  mutating func reserve() -> UInt64 {
    last += 1
    return last
  }

  mutating func add(_ handle: Handle, as number: UInt64) {
    handles[number] = handle
    if case .own(let own) = handle { ownHandles[own.number, default: []].insert(number) }
  }

  /// Puts another state of a listing in its place, where it is still open.
  mutating func renew(_ number: UInt64, _ listing: Listing) {
    if handles[number] != nil { handles[number] = .listing(listing) }
  }

  /// The handles of an own file. Complexity: O(them).
  func own(_ number: InodeNumber) -> [OwnHandle] {
    (ownHandles[number] ?? []).compactMap { handle in
      if case .own(let own)? = handles[handle] { own } else { nil }
    }
  }

  mutating func remove(_ number: UInt64) -> Handle? {
    let handle = handles.removeValue(forKey: number)
    if case .own(let own)? = handle {
      ownHandles[own.number]?.remove(number)
      if ownHandles[own.number]?.isEmpty == true { ownHandles[own.number] = nil }
    }
    return handle
  }
}
