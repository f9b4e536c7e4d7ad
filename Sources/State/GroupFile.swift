package import Protocol

/// The content of the file `group`, line by line:
///
///     hub ADDRESS
///     also ADDRESS,ADDRESS
///     route ADDRESS
///     pin FINGERPRINT
///     master FINGERPRINT
///     generation NUMBER
///
/// Without its first line it counts as one of an earlier version, so that a person may change it.
package struct GroupFile: Equatable, Sendable {
  /// As it is written, not looked into.
  package var hub: String
  /// Its other addresses, as they are written.
  package var also: [String]
  /// By which of its addresses it was reached last, numeric; nil where that is not known.
  package var route: String?
  /// Of the hub's TLS key; nil where there was no TLS, or no contact yet.
  package var pin: Fingerprint?
  /// Of the master's key; nil before it was heard of.
  package var master: Fingerprint?
  /// Of the latest group key that was in use; 0: none.
  package var generation: UInt32

  /// A content.
  package init(
    hub: String, also: [String] = [], route: String? = nil, pin: Fingerprint?,
    master: Fingerprint?, generation: UInt32
  ) {
    self.hub = hub
    self.also = also
    self.route = route
    self.pin = pin
    self.master = master
    self.generation = generation
  }

  /// nil where `text` is not what `text` writes: a pin that is damaged must not pass for none.
  package init?(text: String) {
    var values: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 2,
        ["hub", "also", "route", "pin", "master", "generation"].contains(words[0]),
        values.updateValue(words[1], forKey: words[0]) == nil
      else { return nil }
    }
    guard let hub = values["hub"], let generation = UInt32(values["generation"] ?? "0") else {
      return nil
    }
    let (pin, master) = (values["pin"], values["master"])
    self.init(
      hub: String(hub), also: (values["also"] ?? "").split(separator: ",").map(String.init),
      route: values["route"].map(String.init), pin: pin.flatMap { Fingerprint(text: $0) },
      master: master.flatMap { Fingerprint(text: $0) }, generation: generation)
    if (self.pin == nil) != (pin == nil) || (self.master == nil) != (master == nil) { return nil }
  }

  /// The content of the file, without its first line.
  package var text: String {
    let lines = [
      "hub \(hub)", also.isEmpty ? nil : "also \(also.joined(separator: ","))",
      route.map { "route \($0)" }, pin.map { "pin \($0)" }, master.map { "master \($0)" },
      generation > 0 ? "generation \(generation)" : nil,
    ]
    return lines.compactMap { $0 }.map { $0 + "\n" }.joined()
  }

  /// What the file at `path` says; nil where there is none.
  package static func read(_ path: String) throws(StateFault) -> GroupFile? {
    guard let text = try SmallFile.text(.group, path) else { return nil }
    guard let group = GroupFile(text: text) else {
      throw .damaged(.group, path, "it is garbled")
    }
    return group
  }
}
