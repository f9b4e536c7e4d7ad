import Protocol

/// What shows while a master that begins anew takes the list back from its members: the list as it
/// was. Of what is there meanwhile half is missing, and whoever listed that would take it for all.
struct Curtain: Sendable {
  /// The replica as it was before.
  let shown: Replica
  /// When it rises, if nothing more comes.
  var until: Instant
  /// When it rises at the latest.
  let limit: Instant
}

extension Member {
  /// The list as others' entries show.
  package var shown: ShareList { (curtain?.shown ?? replica).list }

  /// Whether something else shows than the list as it is.
  package var isCurtained: Bool { curtain != nil }

  /// A list of another epoch was taken in the place of `before`.
  mutating func lowerCurtain(over before: Replica, now: Instant) {
    curtain = Curtain(
      shown: curtain?.shown ?? before, until: now + settings.settleQuiet,
      limit: curtain?.limit ?? now + settings.settleLimit)
  }

  /// The list changed behind the curtain.
  mutating func extendCurtain(now: Instant) {
    curtain!.until = min(now + settings.settleQuiet, curtain!.limit)
  }

  /// Time has passed. Without a master that answers nothing is known to be complete.
  mutating func tickCurtain(now: Instant, into actions: inout [MemberAction]) {
    guard let until = curtain?.until, now >= until else { return }
    if phase == .live {
      raiseCurtain(into: &actions)
    } else {
      curtain!.until = now + settings.settleQuiet
    }
  }

  /// All that changed shows, as one step.
  mutating func raiseCurtain(into actions: inout [MemberAction]) {
    guard let before = curtain?.shown.list else { return }
    curtain = nil
    keep(.renewed, into: &actions)
    let changed = replica.list.unordered.filter { before[$0.key] != $0 }
    tell(
      before.lacking(in: replica.list).map { .removed($0) }
        + changed.sorted { $0.key < $1.key }.map { .upserted($0) }, into: &actions)
  }
}
