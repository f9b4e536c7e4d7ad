import Glibc
import Protocol
import System

/// What an own file was like at some moment.
struct Look: Sendable {
  let number: InodeNumber
  /// A look with a higher number saw all that this one saw.
  let ordinal: UInt64
  let stat: Stat
}

/// The attributes of own files, as they are on the disk. Writers and closers look at one file at
/// the same time: what was seen earlier never replaces what was seen later, or the kernel would cut
/// the file.
extension Volume {
  /// Looks at an own file. Disk pool only.
  func look(_ number: InodeNumber, _ file: OwnedDescriptor) throws(SystemError) -> Look {
    let ordinal = tree.withLock { tree -> UInt64 in
      guard let node = tree[number], node.own != nil else { return 0 }
      node.own!.looks += 1
      return node.own!.looks
    }
    return Look(number: number, ordinal: ordinal, stat: try Stat(descriptor: file.raw))
  }

  /// Renews a node's attributes. `setsTime`: whether the file's times were asked for.
  /// Throws: ESTALE where the node is gone.
  @discardableResult
  func show(_ look: Look, setsTime: Bool = false) throws(SystemError) -> EntryReply {
    let reply = tree.withLock { tree -> EntryReply? in
      guard let node = tree[look.number] else { return nil }
      node.attributes = node.latest(look, setsTime: setsTime)
      if node.attributes.hasOtherNames { notifier.add(tree.showOtherNames(of: node)) }
      return EntryReply(node)
    }
    guard let reply else { throw SystemError(code: ESTALE, call: "a forgotten file") }
    return reply
  }
}

extension Node {
  /// The attributes that were seen, unless the node's are later ones. Tree lock held.
  func latest(_ look: Look, setsTime: Bool = false) -> Attributes {
    guard own != nil, look.ordinal >= own!.shownLook else { return attributes }
    own!.shownLook = look.ordinal
    var seen = Attributes(look.stat, implied: own!.impliedMode)
    // A directory also changes when others put something into it: that is not on our disk.
    if kind == .directory, !setsTime {
      seen.modified = max(attributes.modified, seen.modified)
      seen.changed = max(attributes.changed, seen.changed)
    }
    return seen
  }
}
