package import Protocol
import Synchronization

/// Why something cannot be sealed or opened.
package enum SealFault: Error, Equatable, Sendable {
  /// This member has no group key yet.
  case noKey
  /// It is sealed under a generation that is no longer, or not yet, in use.
  case generation(UInt32)
  /// It is not what a member of the group sealed, or not where it was sealed for.
  case broken
  /// It is in the master's name, and somebody else of the group sealed it.
  case notTheMaster
}

/// The one place that entries and leaves pass on their way to and from the wire: bodies of messages
/// about the list, and leaves, are sealed here with keys of the group that the hub does not have.
/// Any thread.
package final class Sealer: Sendable {
  struct State {
    /// The latest and some before it: leaves that were asked for under one may still be on their
    /// way.
    var keys: [GroupKey] = []
    var leafKeys = LeafKeyring()
    /// Bodies that were sealed under the latest key by this process.
    var bodies = 0
    /// What this device has with each other one that it talks with.
    var pairs: [PublicID: (device: DeviceKey, key: PairKey)] = [:]
  }

  /// Generations that are remembered.
  private static let remembered = 4

  let state = Mutex(State())

  /// A sealer without a key: nothing can be sealed or opened before `use`.
  package init() {}

  /// The generation that is sealed with; 0: none yet.
  package var generation: UInt32 { state.withLock { $0.keys.last?.generation ?? 0 } }

  /// Bodies after which a key is to be replaced: nonces are drawn, and of 2^32 under one key two
  /// may be the same (NIST SP 800-38D, section 8.3).
  package static let bodyLimit = 1 << 30

  /// Bodies for everyone that this process has sealed under the latest key.
  package var bodiesSealed: Int { state.withLock { $0.bodies } }

  /// Seals with `key` from now on. Returns: false, with nothing changed, where a later one is in
  /// use.
  package func use(_ key: GroupKey) -> Bool {
    state.withLock { state in
      let latest = state.keys.last?.generation ?? 0
      guard key.generation >= latest else { return false }
      if key.generation == latest { state.keys.removeLast() } else { state.bodies = 0 }
      state.keys.append(key)
      if state.keys.count > Self.remembered { state.keys.removeFirst() }
      return true
    }
  }

  /// From now on the other end with this number is this device. Costs something the first time.
  /// Returns: false where its key is no usable one.
  @discardableResult
  package func pair(
    _ publicID: PublicID, with device: DeviceKey, by identity: DeviceIdentity, isMaster: Bool
  ) -> Bool {
    if state.withLock({ $0.pairs[publicID]?.device == device }) { return true }
    let key = PairKey(identity, with: device, isMaster: isMaster)
    state.withLock { $0.pairs[publicID] = key.map { (device, $0) } }
    return key != nil
  }

  func pair(with publicID: PublicID) -> PairKey? { state.withLock { $0.pairs[publicID]?.key } }

  /// The latest key. Throws `.noKey`.
  func latest() throws(SealFault) -> GroupKey {
    guard let key = state.withLock({ $0.keys.last }) else { throw .noKey }
    return key
  }
}
