/// What the first record of a TLS connection asks for (RFC 8446, 4.1.2), as far as the kind of the
/// connection depends on it. OpenSSL judges the rest.
package struct ClientHello: Equatable {
  /// What every such record begins with: a handshake record.
  static let firstByte: UInt8 = 0x16
  /// Bytes before a record's content.
  static let headLength = 5
  /// The longest content of a record (RFC 8446, 5.1).
  static let contentLimit = 16384

  /// The application protocols that are offered (RFC 7301), in order; empty when none are.
  package let protocols: [[UInt8]]

  /// The length of a record with its head; nil when it cannot hold a ClientHello. `head` has at
  /// least `headLength` bytes.
  static func recordLength(head: some RandomAccessCollection<UInt8>) -> Int? {
    let bytes = Array(head.prefix(headLength))
    let content = Int(bytes[3]) << 8 | Int(bytes[4])
    // A ClientHello has at least its type, length, version, random and three lists.
    guard bytes[0] == firstByte, bytes[1] == 3, (44...contentLimit).contains(content) else {
      return nil
    }
    return headLength + content
  }

  /// Reads a whole record. nil when it holds no ClientHello, or only a part of one.
  package init?(record: [UInt8]) {
    guard record.count >= Self.headLength, record.count == Self.recordLength(head: record) else {
      return nil
    }
    var rest = record[Self.headLength...]
    guard rest.popFirst() == 1, var hello = Self.list(&rest, lengthBytes: 3), rest.isEmpty else {
      return nil
    }
    // Version and random, then session id, cipher suites, compression methods.
    guard Self.skip(&hello, 34), Self.list(&hello, lengthBytes: 1) != nil,
      Self.list(&hello, lengthBytes: 2) != nil, Self.list(&hello, lengthBytes: 1) != nil
    else { return nil }
    guard !hello.isEmpty else {
      protocols = []
      return
    }
    guard var extensions = Self.list(&hello, lengthBytes: 2), hello.isEmpty,
      let protocols = Self.protocols(&extensions)
    else { return nil }
    self.protocols = protocols
  }

  /// The names in the extension `application_layer_protocol_negotiation` (16). nil when malformed.
  private static func protocols(_ extensions: inout ArraySlice<UInt8>) -> [[UInt8]]? {
    var found: [[UInt8]]?
    while !extensions.isEmpty {
      guard let type = number(&extensions, bytes: 2),
        var body = list(&extensions, lengthBytes: 2)
      else { return nil }
      guard type == 16 else { continue }
      guard found == nil, var names = list(&body, lengthBytes: 2), body.isEmpty, !names.isEmpty
      else { return nil }
      var read: [[UInt8]] = []
      while !names.isEmpty {
        guard let name = list(&names, lengthBytes: 1), !name.isEmpty else { return nil }
        read.append(Array(name))
      }
      found = read
    }
    return found ?? []
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>, bytes count: Int) -> Int? {
    guard bytes.count >= count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
  }

  private static func list(
    _ bytes: inout ArraySlice<UInt8>, lengthBytes: Int
  ) -> ArraySlice<UInt8>? {
    guard let count = number(&bytes, bytes: lengthBytes), bytes.count >= count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }

  private static func skip(_ bytes: inout ArraySlice<UInt8>, _ count: Int) -> Bool {
    guard bytes.count >= count else { return false }
    bytes = bytes.dropFirst(count)
    return true
  }
}
