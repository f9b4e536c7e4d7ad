import Glibc
import Logging
import System

/// What the control server's thread does: one `poll` over the listener and all connections.
final class ControlLoop {
  private let listener: OwnedDescriptor
  private let mailbox: ControlMailbox
  private let limits: ControlLimits
  private let log: Logger
  private let handler: ControlServer.Handler
  private var connections: [UInt64: ControlConnection] = [:]
  private var lastNumber: UInt64 = 0
  /// Until when nothing is accepted, after the process ran out of descriptors.
  private var acceptPausedUntil: Duration?

  /// A loop that is not running yet.
  init(
    listener: OwnedDescriptor, mailbox: ControlMailbox, limits: ControlLimits, log: Logger,
    handler: @escaping ControlServer.Handler
  ) {
    self.listener = listener
    self.mailbox = mailbox
    self.limits = limits
    self.log = log
    self.handler = handler
  }

  /// Serves until the mailbox says stop.
  func run() {
    while true {
      let numbers = connections.keys.sorted()
      let events = wait(for: numbers)
      for (number, seen) in zip(numbers, events.dropFirst(2)) where seen != 0 {
        if let connection = connections[number] { follow(number, connection.step(seen)) }
      }
      let mail = mailbox.take()
      for (number, response) in mail.answers {
        if let connection = connections[number] { follow(number, connection.answer(response)) }
      }
      if mail.stopping { return }
      expire(numbers)
      if events[1] != 0 { accept() }
    }
  }

  /// What happened to the mailbox, the listener and the connections, in this order.
  private func wait(for numbers: [UInt64]) -> [Int16] {
    let now = MonotonicClock.now
    if let paused = acceptPausedUntil, paused <= now { acceptPausedUntil = nil }
    let accepting = acceptPausedUntil == nil && connections.count < limits.connections
    var waiting = [
      pollfd(fd: mailbox.wake.raw, events: Int16(POLLIN), revents: 0),
      // poll ignores a negative descriptor.
      pollfd(fd: accepting ? listener.raw : -1, events: Int16(POLLIN), revents: 0),
    ]
    var next = acceptPausedUntil
    for number in numbers {
      guard let connection = connections[number] else { continue }
      waiting.append(
        pollfd(fd: connection.socket.raw, events: connection.events, revents: 0))
      next = min(next ?? connection.deadline, connection.deadline)
    }
    let timeout = next.map { Self.milliseconds(max(.zero, $0 - now)) } ?? -1
    guard poll(&waiting, nfds_t(waiting.count), timeout) >= 0 else {
      let failure = SystemError("poll")
      precondition(failure.code == EINTR || failure.code == ENOMEM, "poll is given what is open")
      return [Int16](repeating: 0, count: waiting.count)
    }
    return waiting.map(\.revents)
  }

  private func follow(_ number: UInt64, _ step: ControlConnection.Step) {
    switch step {
    case .pending:
      return
    case .finished:
      connections[number] = nil
    case .request(let request):
      log.debug("control request", metadata: ["command": "\(request.command)"])
      var request = request
      request.user = connections[number]?.user
      handler(request) { [mailbox] in mailbox.leave($0, for: number) }
    }
  }

  private func expire(_ numbers: [UInt64]) {
    let now = MonotonicClock.now
    for number in numbers {
      if let connection = connections[number], connection.deadline <= now {
        follow(number, connection.expire())
      }
    }
  }

  private func accept() {
    let nobody = __SOCKADDR_ARG(__sockaddr__: nil)
    let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    while connections.count < limits.connections {
      do {
        let socket = OwnedDescriptor(
          try retryingOnInterrupt("accept") { accept4(listener.raw, nobody, nil, flags) })
        let user = try ControlSocket.peer(of: socket.raw)
        guard user == geteuid() || user == 0 else {
          log.warning("control connection of another user refused", metadata: ["uid": "\(user)"])
          continue
        }
        lastNumber += 1
        connections[lastNumber] = ControlConnection(socket, of: user, limits: limits)
      } catch {
        if error.code == EAGAIN { return }
        if error.code == ECONNABORTED { continue }
        log.warning("control connections are not accepted for a moment: \(error)")
        acceptPausedUntil = MonotonicClock.now + .milliseconds(100)
        return
      }
    }
  }

  /// Rounded up, so that `poll` does not return just before a deadline again and again.
  private static func milliseconds(_ duration: Duration) -> Int32 {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: milliseconds)
  }
}
