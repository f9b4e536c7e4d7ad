/// A peer of a test's own making met something else than it was made for.
package struct PeerFault: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
