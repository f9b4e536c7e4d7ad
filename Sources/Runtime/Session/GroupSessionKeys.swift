import Core
import Logging
import Mount
import Protocol
import Sealing
import System

/// The group's key: made, kept and handed out by the master, taken by everyone else.
extension GroupSession {
  /// What the master wants done about keys and decisions. While draining. Throws where the vault
  /// cannot be written.
  func performKeys(_ action: MasterAction) throws(SystemError) {
    guard let vault else { return }
    switch action {
    case .keep(let decision, let generation):
      try vault.keep(decision)
      _ = try vault.key(generation)
    case .useKey(let generation): use(try vault.key(generation))
    case .giveKey(let publicID, let device): try give(publicID, device)
    default: preconditionFailure("not about keys")
    }
  }

  /// Keeps a decision, and the key that goes with it, before anything is decided. Returns: why it
  /// cannot be kept; then nothing may be decided.
  func keepFirst(_ publicID: PublicID, _ admission: Admission) -> String? {
    if let trouble = state.withLock({ $0.backlog.trouble }) {
      return "nothing can be decided before the disk takes it: \(trouble)"
    }
    guard let vault,
      let (member, generation) = state.withLock({ $0.master?.decision(publicID, admission) })
    else { return nil }
    do throws(SystemError) {
      _ = try vault.key(generation)
      try vault.keep(member)
      return nil
    } catch {
      return "the decision cannot be kept, so nothing was decided: \(error)"
    }
  }

  /// Time has passed: a key that has been in use for a week, or for very much, is replaced.
  func renewOldKey() {
    guard let vault, state.withLock({ $0.isMasterRegistered && $0.backlog.trouble == nil }),
      vault.isOld() || sealer.bodiesSealed >= Sealer.bodyLimit
    else { return }
    budget.log(
      .info, "old group keys", "the key of the group is replaced: it has been in use for long")
    hear { master, _, actions in master.renewOldKey(into: &actions) }
  }

  /// GROUP_KEY came. Service thread of the link.
  func received(_ message: GroupKeyMessage) throws(DecodingFault) {
    let (publicID, master) = state.withLock { ($0.member.publicID, $0.masterKey) }
    guard !isMaster, message.publicID == publicID, let master else {
      throw .invalid("group key: it is not for this member")
    }
    guard let key = KeyWrapping.unwrap(message, by: identity, from: master) else {
      throw .invalid("group key: the master did not wrap it for this device")
    }
    guard sealer.pair(.master, with: master, by: identity, isMaster: false) else {
      throw .invalid("group key: the master's key is no key")
    }
    guard trust.takes(generation: key.generation), use(key) else {
      // A hub that was set back, or the master, or somebody who wants something sealed under a key
      // that was replaced: nothing is. The master hears by which generation this device is, and
      // draws a later one.
      state.withLock { $0.awaitsKey = true }
      budget.log(
        .warning, "old keys",
        "the hub gave a key of the group that was replaced long ago (generation \(key.generation)): waiting for a later one"
      )
      return
    }
    state.withLock { $0.awaitsKey = false }
  }

  /// Seals with `key` from now on, unless a later one is in use.
  @discardableResult
  private func use(_ key: GroupKey) -> Bool {
    guard sealer.use(key) else { return false }
    volume.reading.rekeyed(key.generation)
    direct.rekeyed()
    return true
  }

  private func give(_ publicID: PublicID, _ device: DeviceKey) throws(SystemError) {
    guard let vault, state.withLock({ $0.isMasterRegistered }) else { return }
    let key = try vault.key(sealer.generation)
    if let message = KeyWrapping.wrap(key, for: publicID, device: device, by: identity) {
      send(.groupKey(message))
    } else {
      budget.log(
        .error, "useless keys", "client \(publicID) has a key that nothing can be wrapped for")
    }
  }
}
