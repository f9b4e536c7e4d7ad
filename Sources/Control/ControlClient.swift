import Glibc
import System

/// The asking side of the control socket.
package enum ControlClient {
  /// A report, where there is one to be had: for who goes on without it. Blocks; `timeout` bounds
  /// each step.
  package static func report<Report: Decodable>(
    _ type: Report.Type, of command: String, _ arguments: [String] = [], stateFolder: String,
    timeout: Duration
  ) -> Report? {
    let request = ControlRequest(command: command, arguments: arguments)
    let response = try? call(stateFolder: stateFolder, request: request, timeout: timeout)
    return response?.result.flatMap { try? $0.decode(as: type) }
  }

  /// Sends one request to the `fsharefs` with this state folder and waits for its answer. Blocks.
  ///
  /// Throws `ControlError` (`notRunning` when nothing listens there) or `SystemError`. `timeout`
  /// bounds each step; it is longer than the server gives its handler.
  package static func call(
    stateFolder: String, request: ControlRequest, timeout: Duration = .seconds(70)
  ) throws -> ControlResponse {
    let message = try ControlFrame.encode(request, limit: ControlLimits.requestBytes)
    do {
      let connection = try open(stateFolder, timeout)
      try send(message, to: connection.raw)
      let frame = try receive(from: connection.raw)
      return try ControlFrame.decode(ControlResponse.self, from: frame)
    } catch let error as SystemError where [EAGAIN, EPIPE, ECONNRESET].contains(error.code) {
      throw ControlError.noAnswer(stateFolder: stateFolder)
    }
  }

  /// Who listens in a state folder.
  package enum Presence: Sendable {
    case somebody
    /// A process of another user, whose folder is closed to this one.
    case stranger
    case nobody
  }

  /// Looks whether anybody listens in a state folder, without asking anything.
  package static func presence(_ stateFolder: String) -> Presence {
    do {
      _ = try open(stateFolder, .seconds(1))
      return .somebody
    } catch let error as SystemError where [EACCES, EPERM].contains(error.code) {
      return .stranger
    } catch let error as SystemError where error.code == EAGAIN {
      // Alive, with its queue full.
      return .somebody
    } catch {
      return .nobody
    }
  }

  private static func open(_ stateFolder: String, _ timeout: Duration) throws -> OwnedDescriptor {
    do {
      return try ControlSocket(stateFolder: stateFolder).connect(timeout: timeout)
    } catch let error as SystemError where [ENOENT, ENOTDIR].contains(error.code) {
      throw ControlError.notRunning(stateFolder: stateFolder)
    }
  }

  private static func send(_ message: [UInt8], to connection: Int32) throws(SystemError) {
    var rest = message[...]
    while !rest.isEmpty {
      // SAFETY: the pointer stays inside the closure.
      let sent = try retryingOnInterrupt("send to the control socket") {
        rest.withUnsafeBytes {
          Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
      rest = rest.dropFirst(sent)
    }
  }

  private static func receive(from connection: Int32) throws -> [UInt8] {
    var frame: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let length = try ControlFrame.length(of: frame, limit: ControlLimits.responseBytes)
      if let length, frame.count >= length { return frame }
      let count = try retryingOnInterrupt("receive from the control socket") {
        recv(connection, &piece, piece.count, 0)
      }
      guard count > 0 else { throw SystemError(code: ECONNRESET, call: "receive an answer") }
      frame += piece[..<count]
    }
  }
}
