import Glibc
import Hostile
import System

/// What happens to the bytes of one connection on their way.
protocol WireTap: AnyObject, Sendable {
  /// Bytes from the member to the hub.
  func up(_ bytes: [UInt8]) -> [UInt8]
  /// Bytes from the hub to the member.
  func down(_ bytes: [UInt8]) -> [UInt8]
}

/// Stands between members and their hub, and has every byte pass a tap.
final class Wire: Sendable {
  /// Where a member finds "its hub".
  let address: String
  private let sockets = Locked<[Socket]>([])
  private let isStopped = Locked(false)

  /// Relays to `hub` until the test ends; `tap` is made once for each connection.
  init(_ fixture: Fixture, to hub: String, _ tap: @escaping @Sendable () -> any WireTap) throws {
    // All that members say to each other is to pass here.
    fixture.hasLines = false
    let listener = try Socket.listening()
    address = try listener.address()
    let (sockets, isStopped) = (sockets, isStopped)
    let acceptor = try Thread.start(name: "wire") {
      while !isStopped.withLock({ $0 }) {
        guard let member = try? listener.accepted(), let hub = try? Socket.connected(to: hub)
        else { continue }
        sockets.withLock { $0 += [member, hub] }
        let tap = tap()
        Wire.pump(member, to: hub) { tap.up($0) }
        Wire.pump(hub, to: member) { tap.down($0) }
      }
    }
    fixture.atEnd {
      isStopped.withLock { $0 = true }
      acceptor.join()
      for socket in sockets.withLock({ $0 }) { socket.hangUp() }
    }
  }

  private static func pump(
    _ from: Socket, to other: Socket, _ change: @escaping @Sendable ([UInt8]) -> [UInt8]
  ) {
    _ = try? Thread.start(name: "pump") {
      while true {
        do {
          let bytes = try from.receive(atMost: 1 << 17)
          if bytes.isEmpty { break }
          try other.send(change(bytes))
        } catch let error as SystemError where error.code == EAGAIN {
          // Nothing was said for long; that is all.
        } catch { break }
      }
      from.hangUp()
      other.hangUp()
    }
  }
}

/// Keeps a copy of everything that passes.
final class Recording: WireTap {
  private let bytes = Locked<[UInt8]>([])

  func up(_ bytes: [UInt8]) -> [UInt8] { keep(bytes) }
  func down(_ bytes: [UInt8]) -> [UInt8] { keep(bytes) }

  /// All that passed so far, both ways.
  var content: [UInt8] { bytes.withLock { $0 } }

  private func keep(_ piece: [UInt8]) -> [UInt8] {
    bytes.withLock { $0 += piece }
    return piece
  }
}
