import Glibc

/// The first bytes of an accepted connection, which tell what it is to be: control plane or bulk
/// stream, under TLS or not.
struct ProtocolSniffer: Equatable {
  /// What a look at a connection that is readable tells.
  enum Look: Equatable {
    /// Its ClientHello is not there as a whole: it is polled as readable again when it is.
    case part
    /// It has ended, or nothing good begins like this.
    case useless
    /// It is understood.
    case known(ProtocolSniffer)
  }

  /// The shortest start that tells: `GET /bulk/d`, `POST /bulk/`. No request is shorter.
  private static let length = 11
  /// The application protocol that a bulk stream asks for under TLS, where its request is hidden.
  static let bulkProtocol = "fsharefs-bulk"

  /// Whether a bulk stream is asked for.
  let isBulk: Bool
  /// Whether TLS is asked for.
  let isSecure: Bool

  /// Has a connection polled as readable only when there is enough to tell, or its end.
  static func prepare(_ descriptor: Int32) {
    expect(length, descriptor)
  }

  /// Has a connection polled as readable whatever has come: nobody looks at its beginning.
  static func release(_ descriptor: Int32) {
    expect(1, descriptor)
  }

  /// Looks at a connection that is readable, without reading anything from it. `again` when the
  /// last look saw a part.
  static func look(at descriptor: Int32, again: Bool) -> Look {
    let start = peek(descriptor, length)
    guard start.count == length else { return .useless }
    guard start[0] == ClientHello.firstByte else {
      let isBulk = ["GET /bulk/d", "POST /bulk/"].contains { start.elementsEqual($0.utf8) }
      return .known(ProtocolSniffer(isBulk: isBulk, isSecure: false))
    }
    guard let whole = ClientHello.recordLength(head: start) else { return .useless }
    let record = peek(descriptor, whole)
    guard record.count == whole else {
      if again { return .useless }
      expect(whole, descriptor)
      return .part
    }
    guard let hello = ClientHello(record: record) else { return .useless }
    let isBulk = hello.protocols.contains { $0.elementsEqual(bulkProtocol.utf8) }
    return .known(ProtocolSniffer(isBulk: isBulk, isSecure: true))
  }

  /// A copy of the connection's descriptor, to be passed on. nil when there is none left.
  static func copy(_ original: Int32) -> Int32? {
    let copy = fcntl(original, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { return nil }
    expect(1, copy)
    return copy
  }

  private static func expect(_ count: Int, _ descriptor: Int32) {
    var bytes = Int32(count)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &bytes, socklen_t(4))
  }

  private static func peek(_ descriptor: Int32, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let seen = recv(descriptor, &bytes, count, Int32(MSG_PEEK | MSG_DONTWAIT))
    return Array(bytes.prefix(max(0, seen)))
  }
}
