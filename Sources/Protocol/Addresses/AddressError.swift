/// An address that cannot be used: what was given, and what would do.
package struct AddressError: Error, Equatable, CustomStringConvertible {
  /// One line for the user.
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`. A nil port means that none was given.
package func splitHostAndPort(
  _ text: String
) throws(AddressError) -> (host: String, port: UInt16?) {
  let host: Substring
  let rest: Substring
  if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
    host = text[text.index(after: text.startIndex)..<end]
    rest = text[text.index(after: end)...]
  } else if let colon = text.lastIndex(of: ":") {
    host = text[..<colon]
    rest = text[colon...]
    guard !host.contains(":") else {
      throw AddressError("'\(text)': write an IPv6 address in brackets, as in [::1]:7420")
    }
  } else {
    host = text[...]
    rest = ""
  }
  let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }
  guard isPlain else { throw AddressError("'\(text)' is not a host name") }
  if rest.isEmpty { return (String(host), nil) }
  guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else {
    throw AddressError("'\(text)': the port must be a number up to 65535")
  }
  return (String(host), port)
}

/// `host:port`, with brackets around an IPv6 address.
package func joinHostAndPort(_ host: String, _ port: UInt16) -> String {
  host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}
