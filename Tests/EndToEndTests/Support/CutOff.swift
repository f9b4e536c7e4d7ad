import CLinux
import Glibc
import Hostile
import System

/// Stands between a member and its hub, and cuts the line when a test says so.
final class CutOff: Sendable {
  /// Where the member finds "its hub".
  let address: String
  private let state: Locked<State>
  private let thread: JoinableThread

  private struct State {
    var isCut = false
    var isStopped = false
  }

  /// Relays to `hub` until the test ends.
  init(_ fixture: Fixture, to hub: String) throws {
    // All that members say to each other is to pass here.
    fixture.hasLines = false
    let listener = try Socket.listening()
    address = try listener.address()
    let state = Locked(State())
    self.state = state
    thread = try Thread.start(name: "cut-off") {
      var lines: [Line] = []
      while true {
        let (isCut, isStopped) = state.withLock { ($0.isCut, $0.isStopped) }
        if isStopped { return }
        if isCut { lines.removeAll() }
        if let member = try? listener.accepted(waiting: lines.isEmpty ? 20 : 0), !isCut,
          let hub = try? Socket.connected(to: hub)
        {
          lines.append(Line(member, hub))
        }
        CutOff.relay(&lines)
      }
    }
    let thread = thread
    fixture.atEnd {
      state.withLock { $0.isStopped = true }
      thread.join()
    }
  }

  /// Ends all connections, and every new one at once.
  func cut() { state.withLock { $0.isCut = true } }

  /// Lets connections through again.
  func heal() { state.withLock { $0.isCut = false } }

  /// Two connections, and what waits to be written to each.
  private final class Line {
    let ends: [Socket]
    var pending: [[UInt8]] = [[], []]
    var isOver = false

    init(_ member: Socket, _ hub: Socket) { ends = [member, hub] }

    /// Reads from one end only while the other has taken what came before.
    func events(_ end: Int) -> Int16 {
      Int16(pending[1 - end].isEmpty ? POLLIN : 0) | Int16(pending[end].isEmpty ? 0 : POLLOUT)
    }

    func pump(_ end: Int, _ events: Int16) {
      let other = 1 - end
      if events & Int16(POLLIN | POLLHUP | POLLERR) != 0, pending[other].isEmpty {
        guard let bytes = try? ends[end].receive(atMost: 1 << 18), !bytes.isEmpty else {
          isOver = true
          return
        }
        pending[other] = bytes
        write(other)
      }
      if events & Int16(POLLOUT) != 0 { write(end) }
    }

    private func write(_ end: Int) {
      let bytes = pending[end]
      let count = send(
        ends[end].descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      if count > 0 {
        pending[end] = Array(bytes[count...])
      } else if count < 0, errno != EAGAIN, errno != EINTR {
        isOver = true
      }
    }
  }

  private static func relay(_ lines: inout [Line]) {
    if lines.isEmpty { return }
    var entries = lines.flatMap { line in
      (0..<2).map { pollfd(fd: line.ends[$0].descriptor.raw, events: line.events($0), revents: 0) }
    }
    guard poll(&entries, nfds_t(entries.count), 5) > 0 else { return }
    for (index, entry) in entries.enumerated() where entry.revents != 0 {
      let line = lines[index / 2]
      if !line.isOver { line.pump(index % 2, entry.revents) }
    }
    lines.removeAll { $0.isOver }
  }
}
