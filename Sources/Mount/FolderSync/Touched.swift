import Core
import Glibc
import Protocol
import Sealing
import System

/// Own files of which nothing but the time of change is another: a link was made or removed, an
/// attribute set; or they were written and their time set back. They go on as the version that they
/// are only if all that anybody can have of that is still there. Else they are a new version, as
/// with any other change.
extension FolderSync {
  /// Renews an own file that was touched: at once where nothing was sent of it, else once what was
  /// sent was compared, on the disk pool; until then whoever reads it hears that it is busy.
  /// Throws: what keeps from looking at it.
  func renewTouched(_ held: borrowing NamesHeld, _ known: KnownState, _ found: DiskEntry)
    throws(SystemError)
  {
    let isOlder = namespace.read { $0[known.number]?.own?.isLineOlder ?? true }
    guard !isOlder, let marks = files.sentMarks(of: known.id)
    else { return try renew(held, known.number, found) }
    if marks.isEmpty { return keepVersion(held, known, found) }
    guard setCompared(known.number, true) else { return }
    let isAccepted = disk.submit(key: known.number) { [self] in
      let isSame = isStill(marks, known.number, found.record)
      nameLock.withLock { held in
        _ = setCompared(known.number, false)
        settleTouched(held, known, found, isSame: isSame)
      }
      group.drain()
    }
    if isAccepted { return }
    _ = setCompared(known.number, false)
    try renew(held, known.number, found)
  }

  /// Returns: whether that was not so before.
  private func setCompared(_ number: InodeNumber, _ isCompared: Bool) -> Bool {
    namespace.note { tree in
      guard let node = tree[number], node.own != nil, node.own!.isCompared != isCompared else {
        return false
      }
      node.own!.isCompared = isCompared
      return true
    }
  }

  private func settleTouched(
    _ held: borrowing NamesHeld, _ known: KnownState, _ found: DiskEntry, isSame: Bool
  ) {
    let now = namespace.read { tree in
      tree[known.number].flatMap { $0.isLinked ? KnownState($0) : nil }
    }
    // It was removed, or something else has become of it meanwhile, which is looked at by itself.
    guard let now, now.id == known.id, now.record == known.record, !now.isBusy, !now.isStaged else {
      return
    }
    guard isSame else { return renewOrLookLater(held, known.number, found) }
    keepVersion(held, known, found)
    // It may have been touched again while it was read.
    rescans.lookAgain(at: known.number)
  }

  private func renewOrLookLater(
    _ held: borrowing NamesHeld, _ number: InodeNumber, _ found: DiskEntry
  ) {
    do throws(SystemError) { try renew(held, number, found) } catch {
      let target = namespace.read { tree -> WatchTarget? in
        guard let node = tree[number], let directory = node.parent, let name = node.name else {
          return nil
        }
        return .name(directory.number, name)
      }
      if let target { rescans.couldNotLook(.target(target), error) }
    }
  }

  /// Whether all that was sent of a file is still in it, and it is what was found. Blocks on the
  /// disk for as long as it takes to read that.
  private func isStill(
    _ marks: [LeafMark], _ number: InodeNumber, _ record: FileRecord
  ) -> Bool {
    guard let own = files.ownPlace(number), own.isLinked, own.staged == nil,
      let file = try? folder.openContent(own.path, flags: O_RDONLY)
    else { return false }
    func isAsFound() -> Bool {
      (try? Stat(descriptor: file.raw)).map { FileRecord($0) == record } ?? false
    }
    guard isAsFound() else { return false }
    for mark in marks {
      let start = Int64(mark.key.index << UInt64(mark.key.scale))
      guard let plain = try? readLeaf(file, at: start, mark.length),
        mark.isOf(plain, serving.sealer)
      else {
        return false
      }
    }
    return isAsFound()
  }

  /// The file stays the version that it is. Versions before it are no longer served: what of them
  /// is still there was known by the record that is no longer true.
  private func keepVersion(_ held: borrowing NamesHeld, _ known: KnownState, _ found: DiskEntry) {
    let kept = namespace.changeAndTell { tree -> Entry? in
      // What was removed is never told of again: its path may be another file's by now.
      guard let node = tree[known.number], node.isLinked, node.own?.id == known.id,
        var entry = node.entry
      else { return nil }
      node.own!.record = found.record
      node.own!.touches += 1
      node.own!.history = ContentHistory()
      entry.mode = UInt16(found.stat.permissions)
      let isTold = entry != node.entry
      tree.putOwn(
        entry, owner: files.ownID, node: node, attributes: Attributes(found.stat),
        now: .now)
      // What was sent is there; what else a program here has seen may be another now.
      tree.invalidations += [.attributes(known.number), .content(known.number)]
      if isTold { files.tell(node, entry) }
      return node.own!.sharing == .ignored ? nil : entry
    }
    if let kept { index.note(kept, found.record) }
    files.showOtherNames(held, of: known.number)
  }
}

/// Bytes of an open file. Throws EIO where there are fewer.
private func readLeaf(
  _ file: OwnedDescriptor, at offset: Int64, _ length: Int
) throws(SystemError) -> [UInt8] {
  var plain = [UInt8](repeating: 0, count: length)
  var count = 0
  while count < length {
    let start = count
    // SAFETY: the range lies within the array, which is there during the call.
    let got = try retryingOnInterrupt("read") {
      plain.withUnsafeMutableBytes {
        pread(file.raw, $0.baseAddress! + start, length - start, off_t(offset) + start)
      }
    }
    if got == 0 { throw SystemError(code: EIO, call: "read a file that has become shorter") }
    count += got
  }
  return plain
}
