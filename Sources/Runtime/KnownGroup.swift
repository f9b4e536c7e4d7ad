package import Protocol
package import Transport

/// What a member remembers of its group from one run to the next, line by line in the file `group`:
///
///     hub ADDRESS
///     pin FINGERPRINT
///     master FINGERPRINT
///     generation NUMBER
package struct KnownGroup: Equatable, Sendable {
  /// Where the hub is.
  package var address: HubAddress
  /// Of the hub's TLS key; nil where there was no TLS, or no contact yet.
  package var hub: Fingerprint?
  /// Of the master's key; nil before it was heard of.
  package var master: Fingerprint?
  /// Of the latest group key that was in use; 0: none. An earlier one is never taken again.
  package var generation: UInt32

  /// A group of which so much is known.
  package init(
    address: HubAddress, hub: Fingerprint?, master: Fingerprint?, generation: UInt32 = 0
  ) {
    self.address = address
    self.hub = hub
    self.master = master
    self.generation = generation
  }

  /// nil where `text` is not what `text` writes: a pin that is damaged must not pass for none.
  package init?(text: String) {
    var values: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 2, ["hub", "pin", "master", "generation"].contains(words[0]),
        values.updateValue(words[1], forKey: words[0]) == nil
      else { return nil }
    }
    guard let hub = values["hub"], let address = try? HubAddress(parsing: String(hub)) else {
      return nil
    }
    let (pin, master) = (values["pin"], values["master"])
    guard let generation = UInt32(values["generation"] ?? "0") else { return nil }
    self.init(
      address: address, hub: pin.flatMap { Fingerprint(text: $0) },
      master: master.flatMap { Fingerprint(text: $0) }, generation: generation)
    if (self.hub == nil) != (pin == nil) || (self.master == nil) != (master == nil) { return nil }
  }

  /// The content of the file.
  package var text: String {
    let lines = [
      "hub \(address.text)", hub.map { "pin \($0)" }, master.map { "master \($0)" },
      generation > 0 ? "generation \(generation)" : nil,
    ]
    return lines.compactMap { $0 }.map { $0 + "\n" }.joined()
  }
}

extension KnownGroup {
  /// The group that a start is to join: that of an invite, that at an address, or `kept`, the one of the last
  /// run; what is remembered of the keys stays in force wherever the hub is. Throws: an ending with code 64
  /// where there is none, 78 where the invite is for another group than the one that is kept.
  package static func joining(
    _ address: HubAddress?, _ invite: Invite?, kept: KnownGroup?, file: String
  ) throws(Ending) -> KnownGroup {
    if let invite {
      if let kept { try kept.check(invite, file) }
      do throws(AddressError) {
        let address = try HubAddress(host: invite.host, port: invite.port, secure: true)
        return KnownGroup(
          address: address, hub: invite.hub, master: invite.master,
          generation: kept?.generation ?? 0)
      } catch { throw Ending(.usage, "\(error)") }
    }
    if let address {
      return KnownGroup(
        address: address, hub: kept?.hub, master: kept?.master, generation: kept?.generation ?? 0)
    }
    if let kept { return kept }
    throw Ending(
      .usage, "no hub is known yet: fsharefs HUB MOUNTPOINT, or fsharefs --host MOUNTPOINT")
  }

  /// What is not known yet, the invite may say; what is known, it may not change.
  private func check(_ invite: Invite, _ file: String) throws(Ending) {
    for (what, line, kept, invited) in [
      ("hub", "pin", hub, invite.hub), ("master", "master", master, invite.master),
    ] {
      guard let kept, kept != invited else { continue }
      throw Ending(
        .untrusted,
        "this state folder belongs to another group (its \(what)'s key is \(kept), the invite's "
          + "\(invited)): to join that one too, give another --state; if the \(what) was set up anew, "
          + "remove the line '\(line)' from \(file)")
    }
  }
}
