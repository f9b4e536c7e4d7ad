import Glibc
import System

/// One client of the control socket: a request comes in whole, its answer goes out whole.
///
/// Used by the server's thread only. No method waits for the client.
final class ControlConnection {
  /// What a step came to.
  enum Step {
    /// More must happen first.
    case pending
    /// The request is whole: it is to be answered by `answer`.
    case request(ControlRequest)
    /// The connection has served its purpose, or is broken.
    case finished
  }

  private enum Phase {
    case receiving([UInt8])
    case answering
    case sending([UInt8], sent: Int)
  }

  /// The connected socket.
  let socket: OwnedDescriptor
  /// Whose process is at the other end.
  let user: UInt32
  /// When the client, or the handler, has taken too long.
  private(set) var deadline: Duration
  private let limits: ControlLimits
  private var phase = Phase.receiving([])

  /// Takes over an accepted, non-blocking socket of a user's process.
  init(_ socket: OwnedDescriptor, of user: UInt32, limits: ControlLimits) {
    self.socket = socket
    self.user = user
    self.limits = limits
    deadline = MonotonicClock.now + limits.transferTimeout
  }

  /// What `poll` is to look for; it tells of a hang-up in any case.
  var events: Int16 {
    switch phase {
    case .receiving: Int16(POLLIN)
    case .answering: 0
    case .sending: Int16(POLLOUT)
    }
  }

  /// Goes on after `poll` told of `events`.
  func step(_ events: Int16) -> Step {
    switch phase {
    case .receiving: receive()
    // The client is gone: nobody wants the answer.
    case .answering: .finished
    case .sending: send()
    }
  }

  /// Begins to send the answer. Ignored unless one is awaited.
  func answer(_ response: ControlResponse) -> Step {
    guard case .answering = phase else { return .pending }
    return begin(response)
  }

  /// What happens at the deadline: a handler's silence is told, a client's is not.
  func expire() -> Step {
    guard case .answering = phase else { return .finished }
    return begin(.refused("no answer within \(limits.answerTimeout) (see the log of fsharefs)"))
  }

  private func receive() -> Step {
    guard case .receiving(var received) = phase else { return .pending }
    var piece = [UInt8](repeating: 0, count: 16 * 1024)
    do {
      let count = try retryingOnInterrupt("receive") { recv(socket.raw, &piece, piece.count, 0) }
      guard count > 0 else { return .finished }
      received += piece[..<count]
      let length = try ControlFrame.length(of: received, limit: ControlLimits.requestBytes)
      phase = .receiving(received)
      guard let length, received.count >= length else { return .pending }
      guard received.count == length else {
        throw ControlError.malformed("more follows the request")
      }
      let request = try ControlFrame.decode(ControlRequest.self, from: received)
      phase = .answering
      deadline = MonotonicClock.now + limits.answerTimeout
      return .request(request)
    } catch let error as ControlError {
      return begin(.refused(error.description))
    } catch {
      return Self.isTemporary(error) ? .pending : .finished
    }
  }

  private func begin(_ response: ControlResponse) -> Step {
    deadline = MonotonicClock.now + limits.transferTimeout
    do {
      let frame = try ControlFrame.encode(response, limit: ControlLimits.responseBytes)
      phase = .sending(frame, sent: 0)
    } catch {
      let refusal = ControlResponse.refused("the answer cannot be sent: \(error)")
      guard let frame = try? ControlFrame.encode(refusal, limit: ControlLimits.responseBytes)
      else { return .finished }
      phase = .sending(frame, sent: 0)
    }
    return send()
  }

  private func send() -> Step {
    guard case .sending(let frame, var sent) = phase else { return .pending }
    do {
      while sent < frame.count {
        // SAFETY: the pointer stays inside the closure, and `sent` is within the array.
        sent += try retryingOnInterrupt("send") {
          frame.withUnsafeBytes {
            Glibc.send(
              socket.raw, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
          }
        }
      }
      return .finished
    } catch {
      phase = .sending(frame, sent: sent)
      return Self.isTemporary(error) ? .pending : .finished
    }
  }

  private static func isTemporary(_ error: any Error) -> Bool {
    (error as? SystemError)?.code == EAGAIN
  }
}
