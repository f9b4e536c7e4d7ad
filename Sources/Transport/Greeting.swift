import Glibc

/// The first bytes of an accepted connection, which tell the bulk plane from everything else.
struct Greeting {
  /// The shortest start that tells: `GET /bulk/d`, `POST /bulk/`. No request is shorter.
  private static let length: Int32 = 11

  /// Whether a bulk stream is asked for.
  let isBulk: Bool
  /// A copy of the connection's descriptor, to be passed on; nothing has been read from it.
  let descriptor: Int32

  /// Has a connection polled as readable only when there is enough to tell, or its end.
  static func prepare(_ descriptor: Int32) {
    var bytes = length
    setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &bytes, socklen_t(4))
  }

  /// Looks at a connection that is readable. Nil when it has ended, or sent too little.
  init?(peekingAt original: Int32) {
    var start = [UInt8](repeating: 0, count: Int(Self.length))
    let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
    guard recv(original, &start, start.count, flags) == start.count else { return nil }
    isBulk = start.elementsEqual("GET /bulk/d".utf8) || start.elementsEqual("POST /bulk/".utf8)
    descriptor = fcntl(original, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &one, socklen_t(4))
  }
}
