/// Who may have a control plane without TLS. Bulk streams may always: what they carry is sealed.
package enum PlainPolicy: Sendable, Equatable {
  /// Whoever asks.
  case everyone
  /// Peers on the hub's own machine, where nobody listens in who could not read its memory too.
  case loopback
  /// Nobody at all.
  case nobody

  /// Whether a peer with this numeric address may.
  package func allows(_ peer: String) -> Bool {
    switch self {
    case .everyone: true
    case .loopback: Self.isLoopback(peer)
    case .nobody: false
    }
  }

  /// Whether a numeric address is one of the own machine's: 127.0.0.0/8, also mapped, and ::1.
  package static func isLoopback(_ peer: String) -> Bool {
    let mapped = "::ffff:"
    let address = peer.lowercased().hasPrefix(mapped) ? peer.dropFirst(mapped.count) : peer[...]
    if address == "::1" { return true }
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
