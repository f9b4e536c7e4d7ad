/// The answer to `guest`: a link that was made. Its secret is told this once.
package struct GuestReport: Codable, Equatable, Sendable {
  package var id: String
  package var link: String
  /// In the share, as it stands in an address.
  package var path: String
  package var isDrop: Bool
  /// Seconds since 1970; nil: it has no end.
  package var until: Int64?
  /// SHA-256 of the certificate that the guest's browser is shown; nil where somebody vouches for
  /// it.
  package var fingerprint: String?

  package init(
    id: String, link: String, path: String, isDrop: Bool, until: Int64?, fingerprint: String?
  ) {
    self.id = id
    self.link = link
    self.path = path
    self.isDrop = isDrop
    self.until = until
    self.fingerprint = fingerprint
  }
}
