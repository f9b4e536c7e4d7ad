import Core
import Protocol

/// Who may put something into a directory.
enum Standing: Equatable {
  /// This member has it himself, or everybody does: it is the top of the share.
  case own
  /// Others', with write for everybody.
  case open
  /// Others', who want nothing of anybody else's in it.
  case closed
}

extension Node {
  /// Who may put something into this directory, by what shows of it.
  var standing: Standing {
    if number == Node.rootNumber || (own != nil && (own?.impliedMode == nil || others.isEmpty)) {
      return .own
    }
    return shownAttributes.mode & 0o002 != 0 ? .open : .closed
  }

  /// What programs are told. A directory that this member has only because something of his lies in
  /// it shows the mode that its owner gives it.
  var shownAttributes: Attributes {
    guard own?.impliedMode != nil, let other = others.first else { return attributes }
    var shown = attributes
    shown.mode = Attributes(foreign: other.entry).mode
    return shown
  }

  /// Others' claims on the name that it shows at, the earliest first.
  var others: [Claim] {
    guard let name, let slot = parent?.children[name] else { return [] }
    return slot.claims.filter { !$0.isOwn }
  }

  /// Whether something of one's own lies right in this directory. Complexity: O(names in it).
  var holdsOwn: Bool {
    firstResting != noRecord || slots.values.contains { $0.node.own != nil }
  }

  /// Whether something is being copied in somewhere below. Complexity: O(nodes below).
  var holdsStaged: Bool {
    slots.values.contains { $0.node.own?.staged != nil || $0.node.holdsStaged }
  }

  /// Who else has something at or below this node, up to a few. Complexity: O(nodes below it),
  /// where nobody has.
  func otherOwners(limit: Int) -> [PublicID] {
    var found: [PublicID] = []
    func look(at node: Node) {
      if let name = node.name, let slot = node.parent?.children[name] {
        for claim in slot.claims where !claim.isOwn && !found.contains(claim.owner) {
          found.append(claim.owner)
        }
      }
      for slot in node.children.all.values where found.count < limit { look(at: slot.node) }
    }
    look(at: self)
    return Array(found.prefix(limit)).sorted()
  }
}
