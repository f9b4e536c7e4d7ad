import System

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
    case .loopback: Loopback.contains(peer)
    case .nobody: false
    }
  }
}
