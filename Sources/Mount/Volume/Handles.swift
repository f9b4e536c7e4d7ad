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
}

/// Handles by number.
struct HandleTable: Sendable {
  private var handles: [UInt64: Handle] = [:]
  private var last: UInt64 = 0

  subscript(number: UInt64) -> Handle? { handles[number] }

  mutating func add(_ handle: Handle) -> UInt64 {
    last += 1
    handles[last] = handle
    return last
  }

  /// A number for a handle that is added under it.
  mutating func reserve() -> UInt64 {
    last += 1
    return last
  }

  mutating func add(_ handle: Handle, as number: UInt64) { handles[number] = handle }

  /// Puts another state of a listing in its place, where it is still open.
  mutating func renew(_ number: UInt64, _ listing: Listing) {
    if handles[number] != nil { handles[number] = .listing(listing) }
  }

  /// The handles of an own file. Complexity: O(handles).
  func own(_ number: InodeNumber) -> [OwnHandle] {
    handles.values.compactMap { handle in
      guard case .own(let own) = handle, own.number == number else { return nil }
      return own
    }
  }

  mutating func remove(_ number: UInt64) -> Handle? { handles.removeValue(forKey: number) }
}
