package import Protocol
import State

/// What a member remembers of its group from one run to the next, in the file `group`
/// (`GroupFile`).
package struct KnownGroup: Equatable, Sendable {
  /// Where the hub is.
  package var address: HubAddress
  /// Its other addresses, numeric; the port is the same.
  package var also: [String] = []
  /// By which of its addresses it was reached last; nil where that is not known.
  package var route: String?
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

  /// What the file says; nil where its address cannot be used.
  init?(_ file: GroupFile) {
    guard let address = try? HubAddress(parsing: file.hub) else { return nil }
    self.init(
      address: address, hub: file.pin, master: file.master, generation: file.generation)
    also = file.also
    route = file.route
  }

  /// What the file is to say.
  private var file: GroupFile {
    GroupFile(
      hub: address.text, also: also, route: route, pin: hub, master: master,
      generation: generation)
  }

  /// The same from its text.
  package init?(text: String) {
    guard let file = GroupFile(text: text) else { return nil }
    self.init(file)
  }

  /// The text of the file.
  package var text: String { file.text }
}

extension KnownGroup {
  /// The group that a start is to join: that of an invite, that at an address, or `kept`, the one
  /// of the last run; what is remembered of the keys stays in force wherever the hub is. Throws: an
  /// ending with code 64 where there is none, 78 where the invite is for another group than the one
  /// that is kept.
  package static func joining(
    _ address: HubAddress?, _ invite: Invite?, kept: KnownGroup?, file: String
  ) throws(Ending) -> KnownGroup {
    if let invite {
      if let kept { try kept.check(invite, file) }
      do throws(AddressError) {
        let address = try HubAddress(host: invite.host, port: invite.port, secure: true)
        var group = KnownGroup(
          address: address, hub: invite.hub, master: invite.master,
          generation: kept?.generation ?? 0)
        group.also = invite.also
        return group
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
          + "type: \(TrustFailure.forgetting(line, file))")
    }
  }
}
