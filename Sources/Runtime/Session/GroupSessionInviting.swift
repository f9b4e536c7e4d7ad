package import Control
package import Protocol
import System
import Transport

/// Makes the link that invites others to a group.
package enum Inviting {
  /// An invite to the group with these keys. `hub`: where this member reaches the hub; `listens`:
  /// the host that it listens on where it runs in this process. `address`: HOST or HOST:PORT where
  /// others are to look for it, nil: the hub's own, or, where it listens on all of this machine's
  /// addresses, the first of `reachable`; the others are in it too. `also`: other addresses of the
  /// hub that this member knows. Throws: an ending that says why there is none.
  package static func report(
    hub: HubAddress, listens: String? = nil, hubKey: Fingerprint, masterKey: Fingerprint,
    at address: String?, reachable: [String], also: [String] = []
  ) throws(Ending) -> InviteReport {
    let others = hosts(hub, listens, reachable) + also
    let given = try address.map { (text) throws(Ending) in try place(text, port: hub.port) }
    guard let host = given?.host ?? others.first else {
      throw Ending(
        .failure,
        "the hub runs here, and this machine has no address that others could reach: "
          + "name one: fsharectl invite --address HOST[:PORT]")
    }
    let port = given?.port ?? hub.port
    // Whoever names an address knows better than what is only guessed of a hub beside this process;
    // and at another port, which is forwarded to the hub's, only what is named there is the hub.
    let isGuessed = listens == nil && Loopback.contains(hub.host)
    let known = given != nil && isGuessed ? also : others
    let beside = port == hub.port ? known.filter { $0 != host && HostLookUp.isNumeric($0) } : []
    guard
      let invite = Invite(
        host: host, port: port, hub: hubKey, master: masterKey,
        also: Array(beside.prefix(Invite.alsoLimit)))
    else { throw Ending(.failure, "'\(host)' cannot be a host in an invite") }
    return InviteReport(link: "\(invite)", addresses: [host] + others.filter { $0 != host })
  }

  private static func hosts(
    _ hub: HubAddress, _ listens: String?, _ reachable: [String]
  ) -> [String] {
    switch listens {
    case nil: Loopback.contains(hub.host) ? reachable : [hub.host]
    case "", "::": reachable
    case "0.0.0.0": reachable.filter { !$0.contains(":") }
    case let host?: [host]
    }
  }

  /// HOST or HOST:PORT; where the port is left out it is `port`.
  private static func place(_ text: String, port: UInt16) throws(Ending) -> HubAddress {
    guard !text.contains("://") else { throw Ending(.failure, "'\(text)' is not HOST[:PORT]") }
    do throws(AddressError) {
      if let completed = try? HubAddress(parsing: "\(text):\(port)") { return completed }
      return try HubAddress(parsing: text)
    } catch { throw Ending(.failure, "\(error)") }
  }
}

extension GroupSession {
  /// Answers `fsharectl invite`. Any thread.
  func inviteAnswer(_ address: String?) -> ControlResponse {
    let group = trust.group
    guard let masterKey = group.master else {
      return .refused("the hub and the master are not known yet; see: fsharectl status")
    }
    guard let hubKey = group.hub else {
      return .refused("the hub's TLS key is not known (without TLS there is none to pin)")
    }
    do {
      return .report(
        try Inviting.report(
          hub: group.address, listens: hubHost, hubKey: hubKey, masterKey: masterKey, at: address,
          reachable: try InterfaceAddresses.reachable(), also: group.also))
    } catch {
      return .refused("\(error)")
    }
  }
}
