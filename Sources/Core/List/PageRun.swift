package import Protocol

/// The pages of one run, as far as they have come. Nothing of them shows before the last one:
/// whoever lists meanwhile sees the list before, and behind it the next, never half of one.
package struct PageRun: Sendable {
  /// Where the run takes the list anew: what its pages have told so far.
  private var whole: Replica?
  /// Where the run goes on from what shows: what its pages tell, in their order.
  private var items: [PageItem] = []

  /// Whether the run takes the whole list anew.
  package var isWhole: Bool { whole != nil }

  /// Begins a run that goes on from `replica`. `restarts`: one that takes the whole list anew.
  package init(of replica: Replica, restarts: Bool) {
    if restarts { whole = replica.emptied(at: .none) }
  }

  /// Takes one page.
  package mutating func take(_ page: PageBody) {
    guard isWhole else {
      items += page.items
      return
    }
    for item in page.items { whole!.take(item) }
  }

  /// Brings `replica` to where the run has come, `order` with this history. Returns: what changed
  /// in the list. Complexity: O(n) where the list was taken anew, else O(what was told).
  package func finish(
    _ replica: inout Replica, at order: ListOrder, _ history: History
  ) -> [ListDelta] {
    var deltas: [ListDelta] = []
    guard var next = whole else {
      for item in items { replica.take(item, into: &deltas) }
      if replica.order != order || replica.history != history { replica.reached(order, history) }
      return deltas
    }
    deltas += replica.list.lacking(in: next.list).map { .removed($0) }
    for listed in next.list.unordered where replica.list[listed.key] != listed {
      deltas.append(.upserted(listed))
    }
    next.reached(order, history)
    replica = next
    return deltas
  }

  /// The same of a run that takes the list anew, where nobody asks what changed.
  package consuming func replace(
    _ replica: inout Replica, at order: ListOrder, _ history: History
  ) {
    replica = whole!
    replica.reached(order, history)
  }

  /// All that the run tells of members.
  func members(in replica: Replica) -> [MemberRecord] {
    if isWhole { return replica.members.values.sorted { $0.publicID < $1.publicID } }
    return items.compactMap { if case .member(let member) = $0 { member } else { nil } }
  }

  /// What was told, for a copy of the replica; nil where that is to be made anew.
  var told: [PageItem]? { isWhole ? nil : items }
}
