import Protocol
import System

/// Own files with several names.
extension OwnFiles {
  /// What an own file has become shows at its other names at once, and the group hears of it: each
  /// is an entry of its own.
  func showOtherNames(_ held: borrowing NamesHeld, of number: InodeNumber) {
    let others = namespace.changeAndTell { tree -> [InodeNumber] in
      guard let node = tree[number], node.attributes.hasOtherNames else { return [] }
      tree.showOtherNames(of: node)
      let record = node.own?.record
      return tree.otherNames(of: node).compactMap { $0.own?.record == record ? nil : $0.number }
    }
    for other in others { rescans.lookAgain(at: other, isFinished: true) }
  }
}
