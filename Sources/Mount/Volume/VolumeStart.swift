import Glibc
import Logging
import Protocol
package import System

extension Volume {
  /// Shares again what lies in the own folder. Before the mount; blocks on the disk.
  /// Throws: where the folder cannot be read.
  package func shareOwnFolder() throws(SystemError) {
    let conflicts = try folder.recoverStaged { [group] path, attempt in
      Self.conflictPath(path, member: group.deviceName, attempt: attempt)
    }
    for path in conflicts {
      log.warning(
        "a file that was being copied in found its path taken: kept under a conflict name",
        metadata: ["path": "\(shown(path))"])
    }
    let found = try folder.scan { [self] path, why in
      log.warning("not shared: \(why)", metadata: ["path": "\(shown(path))"])
    }
    index.keepOnly(found.map { FileRecord($0.stat) })
    // Two names of one file (hard links) are two entries: the second gets an id of its own.
    var taken: Set<EntryID> = []
    for one in found { shareFound(one, &taken) }
    try index.beginWriting()
    group.drain()
  }

  private func shareFound(_ one: FoundEntry, _ taken: inout Set<EntryID>) {
    let record = FileRecord(one.stat)
    let known = index.lookup(record).flatMap { taken.contains($0.entry) ? nil : $0 }
    let kind: EntryKind =
      one.stat.isDirectory ? .directory : one.stat.isSymlink ? .symlink : .file
    let entry = Entry(
      id: known?.entry ?? newID(), path: one.path, kind: kind,
      version: kind == .directory ? .zero : known?.version ?? newID(),
      size: kind == .file ? UInt64(max(0, one.stat.size)) : 0, modified: one.stat.mtimeNs,
      mode: UInt16(one.stat.permissions), target: one.target)
    taken.insert(entry.id)
    index.note(entry.id, entry.version, record)
    changeTree { tree in
      let node = tree.putOwn(
        entry, owner: ownID.withLock { $0 }, node: nil, attributes: Attributes(one.stat),
        now: WallClock.nanoseconds)
      node.own?.isAnnounced = true
      node.own?.record = record
      group.share(entry)
    }
  }

  /// Ends what runs, after the mount has ended.
  package func stop() {
    notifier.stop()
    tails.stop()
    pool.stop()
    index.writeSettled()
  }
}
