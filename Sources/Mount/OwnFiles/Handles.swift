import Core
import Protocol
import System

/// What a file handle of the kernel stands for.
enum Handle: Sendable {
  /// An own file. `isNew`: made by this open, so it is announced at the last close at the latest.
  case own(OwnHandle)
  /// Somebody else's file, read through the fetcher.
  case remote(StreamID)
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

/// What programs have open, by number; of own files by their node too: at each close it is asked
/// who else has one.
final class Handles: Sendable {
  private struct Table {
    var handles: [HandleNumber: Handle] = [:]
    var own: [InodeNumber: Set<HandleNumber>] = [:]
    var last: HandleNumber = 0

    mutating func add(_ handle: Handle) -> HandleNumber {
      last += 1
      handles[last] = handle
      if case .own(let file) = handle { own[file.number, default: []].insert(last) }
      return last
    }
  }

  private let table = Locked(Table(), rank: .leaf)

  subscript(number: HandleNumber) -> Handle? { table.withLock { $0.handles[number] } }

  func add(_ own: OwnHandle) -> HandleNumber { table.withLock { $0.add(.own(own)) } }

  /// A handle of somebody else's file, whose number is also that of the stream which reads it.
  func addRemote() -> HandleNumber {
    table.withLock { table in table.add(.remote(table.last + 1)) }
  }

  /// The handles of an own file. Complexity: O(them).
  func own(_ number: InodeNumber) -> [OwnHandle] {
    table.withLock { table in
      (table.own[number] ?? []).compactMap { handle in
        if case .own(let own)? = table.handles[handle] { own } else { nil }
      }
    }
  }

  @discardableResult
  func remove(_ number: HandleNumber) -> Handle? {
    table.withLock { table in
      let handle = table.handles.removeValue(forKey: number)
      if case .own(let own)? = handle {
        table.own[own.number]?.remove(number)
        if table.own[own.number]?.isEmpty == true { table.own[own.number] = nil }
      }
      return handle
    }
  }
}
