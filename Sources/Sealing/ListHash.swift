import Crypto
package import Protocol

/// The hash of the list's history.
package enum ListHash {
  /// SHA-256 (FIPS 180-4). Any thread.
  package static let sha256: HistoryHash = { bytes in History(Array(SHA256.hash(data: bytes))) }
}
