import Protocol
import System

/// A hub's hand in what it passes on of the list. It reads heads of messages, as any hub can; what
/// it says in the place of one, a member has sealed for it.
final class ListMeddler: WireTap {
  enum Deed: Equatable, Sendable {
    /// The next FILES_ADDED is not passed on.
    case withhold
    /// No LIST_HEAD is passed on.
    case keepHeads
    /// The next FILES_ADDED comes twice.
    case repeatChange
    /// The next FILES_ADDED waits until the one behind it has passed.
    case reorder
    /// In the place of the next FILES_ADDED comes this.
    case forge([UInt8])
  }

  /// What a test orders, for all connections of one wire.
  final class Orders: Sendable {
    struct State {
      var deed: Deed?
      var done = 0
      /// The frame that waits for the next one.
      var held: [UInt8]?
    }
    let state = Locked(State())

    func order(_ deed: Deed?) {
      state.withLock { $0 = State(deed: deed) }
    }

    /// How many messages were meddled with since the order.
    var done: Int { state.withLock { $0.done } }
  }

  private let orders: Orders
  private let stream = Locked(TappedStream())

  init(_ orders: Orders) { self.orders = orders }

  func up(_ bytes: [UInt8]) -> [UInt8] {
    stream.withLock { stream in
      stream.noteUp(bytes) { !$0.starts(with: Array("GET /bulk/".utf8)) }
    }
    return bytes
  }

  func down(_ bytes: [UInt8]) -> [UInt8] {
    stream.withLock { stream in
      guard stream.isWanted else { return bytes }
      var output = stream.noteDown(bytes)
      while stream.isOpen, let (frame, head) = Self.takeFrame(&stream.pending) {
        output += meddled(frame, head: head)
      }
      return output
    }
  }

  /// The first frame (RFC 6455, section 5.2; a server's is not masked), and the bytes before its
  /// payload.
  private static func takeFrame(_ pending: inout [UInt8]) -> (frame: [UInt8], head: Int)? {
    var reader = ByteReader(pending)
    guard (try? reader.uint8()) != nil, let short = try? reader.uint8() else { return nil }
    var (length, head) = (Int(short & 0x7f), 2)
    if length == 126 {
      guard pending.count >= 4 else { return nil }
      (length, head) = (Int(pending[2]) << 8 | Int(pending[3]), 4)
    } else if length == 127 {
      guard pending.count >= 10 else { return nil }
      (length, head) = (pending[2..<10].reduce(0) { $0 << 8 | Int($1) }, 10)
    }
    guard pending.count >= head + length else { return nil }
    defer { pending.removeFirst(head + length) }
    return (Array(pending[..<(head + length)]), head)
  }

  private static func frame(_ payload: [UInt8]) -> [UInt8] {
    let head: [UInt8] =
      payload.count < 126
      ? [0x82, UInt8(payload.count)]
      : [0x82, 126, UInt8(payload.count >> 8 & 0xff), UInt8(payload.count & 0xff)]
    return head + payload
  }

  private func meddled(_ frame: [UInt8], head: Int) -> [UInt8] {
    guard let message = try? Message(decoding: Array(frame[head...])) else { return frame }
    return orders.state.withLock { state in
      guard let deed = state.deed else { return frame }
      let isHead = message.opcode == .listHead
      guard deed == .keepHeads ? isHead : message.opcode == .filesAdded else { return frame }
      if deed != .keepHeads, state.done > 0 {
        defer { state.held = nil }
        return frame + (state.held ?? [])
      }
      state.done += 1
      switch deed {
      case .withhold, .keepHeads: return []
      case .repeatChange: return frame + frame
      case .reorder:
        state.held = frame
        return []
      case .forge(let bytes): return Self.frame(bytes)
      }
    }
  }
}
