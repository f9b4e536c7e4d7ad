import Glibc
import Protocol
import System

/// The attributes of own files, as they are on the disk. Writers and closers look at one file at
/// the same time: what was seen earlier never replaces what was seen later, or the kernel would cut
/// the file.
extension OwnFiles {
  /// Looks at an own file. Disk pool only.
  func snapshot(_ number: InodeNumber, _ file: OwnedDescriptor) throws(SystemError) -> StatSnapshot
  {
    let ordinal = namespace.note { tree -> UInt64 in
      guard let node = tree[number], node.own != nil else { return 0 }
      node.own!.snapshots += 1
      return node.own!.snapshots
    }
    return StatSnapshot(number: number, ordinal: ordinal, stat: try Stat(descriptor: file.raw))
  }

  /// Renews a node's attributes. `setsTime`: whether the file's times were asked for.
  /// Throws: ESTALE where the node is gone.
  @discardableResult
  func show(_ snapshot: StatSnapshot, setsTime: Bool = false) throws(SystemError) -> EntryReply {
    let reply = namespace.changeAndTell { tree -> EntryReply? in
      guard let node = tree[snapshot.number] else { return nil }
      node.attributes = node.latest(snapshot, setsTime: setsTime)
      if node.attributes.hasOtherNames { tree.showOtherNames(of: node) }
      return EntryReply(node)
    }
    guard let reply else { throw SystemError(code: ESTALE, call: "a forgotten file") }
    return reply
  }
}
