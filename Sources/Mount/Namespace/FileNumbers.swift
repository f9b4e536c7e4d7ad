import Protocol
import System

/// The numbers by which programs know what is in the mount (`st_ino`).
///
/// Of others' entries they are keyed hashes of what stays over restarts, so that a backup finds the
/// same files again: 63 bits, and the highest bit, which no own file's number has. The key keeps
/// peers, who choose their ids, from choosing numbers. Two of a million entries have the same one
/// in 1 of 20 million mounts; programs then take nothing for the same file, since `st_nlink` is 1.
package final class FileNumbers: Sendable {
  /// Bytes of the key.
  package static let keyLength = SipHash.keyLength

  private let hash: SipHash
  /// The device of the own folder.
  private let home: UInt64

  /// nil where `key` has not its length. `home`: the device of the own folder.
  package init?(key: [UInt8], home: UInt64) {
    guard let hash = SipHash(key: key) else { return nil }
    self.hash = hash
    self.home = home
  }

  /// What a hash is of, so that no path passes for an entry.
  private enum Kind {
    static let content: UInt8 = 1
    static let directory: UInt8 = 2
    static let path: UInt8 = 3
  }

  /// The number of a node as it shows now: an own file's is that of the disk; of somebody else's
  /// file or symlink it is that of owner, entry and line of versions (one that has only grown stays
  /// itself), of a directory that of whoever had it first, and of one that only holds something
  /// that of its path.
  func number(of node: Node) -> UInt64 {
    if node.number == Node.rootNumber { return Node.rootNumber }
    // A directory that one has only because something of one's own lies in it is its owner's.
    let claim = node.own?.impliedMode == nil ? nil : firstClaim(on: node)
    if claim == nil, let file = node.attributes.file { return file.number(home: home) }
    var writer = ByteWriter(reserving: 64)
    if let entry = claim?.entry ?? node.entry, let owner = claim?.owner ?? node.owner {
      writer.put(entry.kind == .directory ? Kind.directory : Kind.content)
      writer.put(owner)
      writer.put(entry.id)
      if entry.kind != .directory { writer.put(entry.line) }
    } else {
      writer.put(Kind.path)
      // The outermost name last, each behind its length.
      var one: Node? = node
      while let name = one?.name {
        writer.putBytes16(name.bytes)
        one = one?.parent
      }
    }
    return hash.of(writer.bytes) | FileIdentity.others
  }

  /// The earliest claim of somebody else on what a node shows.
  private func firstClaim(on node: Node) -> Claim? {
    guard let name = node.name, let slot = node.parent?.children[name] else { return nil }
    return slot.claims.first { !$0.isOwn }
  }
}
