/// The answer to `invite`.
package struct InviteReport: Codable, Equatable, Sendable {
  /// The link that a newcomer starts `fsharefs` with.
  package var link: String
  /// The addresses that may be in the link, that which is there first.
  package var addresses: [String]

  /// A report with every field given.
  package init(link: String, addresses: [String]) {
    self.link = link
    self.addresses = addresses
  }
}
