/// The answer to `window`: where the page is, for one browser, once.
package struct WindowReport: Codable, Equatable, Sendable {
  package var address: String

  package init(address: String) { self.address = address }
}
