import Protocol
import System

/// A hub's hand in the leaves that it passes on.
final class Meddler: WireTap {
  enum Deed: String, CaseIterable, Sendable {
    /// One bit of the sealed leaf is another.
    case flip
    /// A leaf comes with another one's content.
    case swap
    /// The content of a version that was replaced comes under the new version's name.
    case replay
    /// The end of the leaf is missing.
    case truncate
    /// The frame's length is not what follows.
    case lie
  }

  /// What a test orders, for all connections of one wire.
  final class Orders: Sendable {
    struct State {
      var deed: Deed?
      /// Leaves that are still to be meddled with.
      var left = 0
      var done = 0
      /// A frame that passed before.
      var kept: [UInt8]?
    }
    let state = Locked(State())

    /// Has the next `count` leaves meddled with.
    func order(_ deed: Deed?, leaves count: Int = .max) {
      state.withLock { state in
        state.deed = deed
        state.left = count
        state.done = 0
      }
    }

    /// How many leaves were meddled with since the order.
    var done: Int { state.withLock { $0.done } }
  }

  private let orders: Orders
  private let stream = Locked(TappedStream())

  init(_ orders: Orders) { self.orders = orders }

  func up(_ bytes: [UInt8]) -> [UInt8] {
    stream.withLock { stream in
      stream.noteUp(bytes) { $0.starts(with: Array("GET /bulk/down".utf8)) }
    }
    return bytes
  }

  func down(_ bytes: [UInt8]) -> [UInt8] {
    stream.withLock { stream in
      guard stream.isWanted else { return bytes }
      var output = stream.noteDown(bytes)
      while stream.isOpen, let frame = Self.takeFrame(&stream.pending) { output += meddled(frame) }
      return output
    }
  }

  private static func takeFrame(_ pending: inout [UInt8]) -> [UInt8]? {
    var reader = ByteReader(pending)
    guard let length = try? reader.uint32(), pending.count >= 4 + Int(length) else { return nil }
    defer { pending.removeFirst(4 + Int(length)) }
    return Array(pending[..<(4 + Int(length))])
  }

  private func meddled(_ frame: [UInt8]) -> [UInt8] {
    guard let key = try? BulkFrame.key(of: frame) else { return frame }
    return orders.state.withLock { state in
      guard let deed = state.deed, state.left > 0 else {
        state.kept = frame
        return frame
      }
      state.left -= 1
      state.done += 1
      var frame = frame
      switch deed {
      case .flip: frame[BulkFrame.payloadOffset + 20] ^= 4
      case .swap, .replay:
        let payload = (state.kept ?? frame.reversed())[BulkFrame.payloadOffset...]
        frame = BulkFrame.header(key, payload: payload.count) + payload
      case .truncate:
        let payload = frame[BulkFrame.payloadOffset...].dropLast(10)
        frame = BulkFrame.header(key, payload: payload.count) + payload
      case .lie: frame[1] ^= 0x10
      }
      return frame
    }
  }
}
