/// The cookies of a request (RFC 6265).
enum Cookies {
  /// The value of one; nil where it is not among them.
  static func value(of name: String, in header: String?) -> String? {
    for pair in (header ?? "").split(separator: ";") {
      let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      if parts.count == 2, parts[0] == name { return String(parts[1]) }
    }
    return nil
  }
}
