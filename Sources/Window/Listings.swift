import Glibc
import System

/// The names of folders that are looked at, in order: a page asks for those that it shows, a few
/// hundred at a time, of a folder of a million.
final class Listings: Sendable {
  /// By what a listing is sorted.
  enum Order: String {
    case name, size, date
  }

  struct Question: Hashable {
    var root: [UInt8]
    var path: [UInt8]
    var order: Order
    var isDescending: Bool
  }

  struct Listing: Sendable {
    let names: [[UInt8]]
    /// By what it is sorted: by the name where that was not possible.
    let order: Order
    let generation: UInt64
  }

  private struct Kept {
    var listing: Listing
    var madeAt: Duration
    /// How long it took.
    var cost: Duration
    var usedAt: Duration
    /// What the list had come to when it was made.
    var change: UInt64
  }

  private struct State {
    var kept: [Question: Kept] = [:]
    var lastGeneration: UInt64 = 0
  }

  private let state = Locked(State())

  /// Folders that are kept in order.
  private static let limit = 8
  /// Entries up to which each is asked for its size and date.
  private static let sortable = 20_000
  /// Names of a folder that are shown at all.
  private static let nameLimit = 4_000_000

  /// The names of a folder. `change`: what the list has come to; an older listing is made anew, but
  /// a long one not all the time. Blocks.
  func names(
    _ question: Question, in share: ShareFolder, _ place: PlaceInShare, change: UInt64
  ) throws(SystemError) -> Listing {
    let now = MonotonicClock.now
    let known = state.withLock { state -> Listing? in
      guard let kept = state.kept[question],
        kept.change == change && now - kept.madeAt < .seconds(2)
          || now - kept.madeAt < kept.cost * 4
      else { return nil }
      state.kept[question]!.usedAt = now
      return kept.listing
    }
    if let known { return known }
    let (names, order) = try Self.sorted(question, in: share, place)
    let made = MonotonicClock.now
    return state.withLock { state in
      state.lastGeneration += 1
      let listing = Listing(names: names, order: order, generation: state.lastGeneration)
      state.kept[question] = Kept(
        listing: listing, madeAt: made, cost: made - now, usedAt: made, change: change)
      if state.kept.count > Self.limit,
        let oldest = state.kept.min(by: { $0.value.usedAt < $1.value.usedAt })
      {
        state.kept[oldest.key] = nil
      }
      return listing
    }
  }

  private static func sorted(
    _ question: Question, in share: ShareFolder, _ place: PlaceInShare
  ) throws(SystemError) -> ([[UInt8]], Order) {
    let folder = try share.open(place, O_RDONLY | O_DIRECTORY)
    let items = try FolderItems.of(folder, limit: nameLimit)
    var keys: [(isFile: Bool, key: Int64, folded: [UInt8], name: [UInt8])] = items.map {
      (!$0.isFolder, 0, folded($0.name), $0.name)
    }
    let order = items.count <= sortable ? question.order : .name
    if order != .name {
      for index in keys.indices {
        guard let found = try? Stat(at: folder.raw, name: keys[index].name) else { continue }
        keys[index].key = order == .size ? found.size : Int64(found.mtime.tv_sec)
      }
    }
    keys.sort { one, other in
      if one.isFile != other.isFile { return !one.isFile }
      let (first, second) = question.isDescending ? (other, one) : (one, other)
      if first.key != second.key { return first.key < second.key }
      return first.folded != second.folded
        ? first.folded.lexicographicallyPrecedes(second.folded)
        : first.name.lexicographicallyPrecedes(second.name)
    }
    return (keys.map(\.name), order)
  }

  /// Letters of either case stand together, and numbers in the order of their values.
  private static func folded(_ name: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(name.count + 4)
    var index = 0
    while index < name.count {
      let byte = name[index]
      guard isDigit(byte) else {
        result.append((65...90).contains(byte) ? byte + 32 : byte)
        index += 1
        continue
      }
      let end = name[index...].firstIndex { !isDigit($0) } ?? name.count
      let digits = name[index..<end].drop { $0 == UInt8(ascii: "0") }
      // A longer number is a larger one.
      result.append(UInt8(ascii: "0"))
      result.append(UInt8(clamping: digits.count))
      result += digits
      index = end
    }
    return result
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
