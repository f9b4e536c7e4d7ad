/// Why a call to a running `fsharefs` failed, other than by a system call.
package enum ControlError: Error, Equatable, CustomStringConvertible {
  /// Nothing listens in this state folder.
  case notRunning(stateFolder: String)
  /// Another process serves this state folder.
  case alreadyRunning(stateFolder: String)
  /// The socket's place is taken by something that is no socket.
  case notASocket(path: String)
  /// The other side ended the connection before its message was whole, or was too slow.
  case noAnswer(stateFolder: String)
  /// A message is longer than the protocol allows.
  case tooLong(bytes: Int, limit: Int)
  /// A message is not what the protocol says.
  case malformed(String)

  package var description: String {
    switch self {
    case .notRunning(let folder):
      "no fsharefs is running with the state folder \(folder) "
        + "(start one with: fsharefs MOUNTPOINT)"
    case .alreadyRunning(let folder):
      "another fsharefs is running with the state folder \(folder) "
        + "(give this one another: --state DIR)"
    case .notASocket(let path):
      "\(path) is in the way: it is no socket (move it elsewhere)"
    case .noAnswer(let folder):
      "the fsharefs with the state folder \(folder) gave no answer (see its log)"
    case .tooLong(let bytes, let limit):
      "a control message of \(bytes) bytes is longer than \(limit)"
    case .malformed(let reason):
      "a control message is malformed: \(reason)"
    }
  }
}
