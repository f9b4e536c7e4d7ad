package import Protocol

/// What the master keeps apart from its journal, because losing it would cost more than fetching
/// again: what was decided about whom, and how many keys the group has had.
package struct MasterVault: Sendable {
  /// Of the latest group key; 1 before any disapproval.
  package var generation: UInt32
  /// The latest decision about each client, in no order.
  package var decisions: [MemberRecord]
  package init(generation: UInt32 = 1, decisions: [MemberRecord] = []) {
    self.generation = generation
    self.decisions = decisions
  }
}
