import Protocol
import System

extension Volume {
  /// What an own file has become shows at its other names at once, and the group hears of it: each
  /// is an entry of its own. Namespace lock held.
  func showOtherNames(of number: InodeNumber) {
    let others = tree.withLock { tree -> [InodeNumber] in
      guard let node = tree[number], node.attributes.hasOtherNames else { return [] }
      notifier.add(tree.showOtherNames(of: node))
      let record = node.own?.record
      return tree.otherNames(of: node).compactMap { $0.own?.record == record ? nil : $0.number }
    }
    for other in others { lookAgain(at: other, isFinished: true) }
  }
}
