import CLinux
import Core
import Glibc
import Logging
import Protocol
import System

/// One name on disk beside what the tree has of it.
extension FolderSync {
  /// A directory that a look came by.
  struct Below {
    let number: InodeNumber
    /// Whether it is new to the tree at this place, so that nothing is known of what lies in it.
    let isNew: Bool
  }

  /// Looks at what waited; takes the name lock itself. What is there goes before what is not:
  /// it may have come from there.
  func reconcile(_ targets: [(target: WatchTarget, isFinished: Bool)]) {
    nameLock.withLock { held in files.refreshIgnored(held) }
    var names: [InodeNumber: [(name: Name, isFinished: Bool)]] = [:]
    for (target, isFinished) in targets {
      switch target {
      case .name(let number, let name): names[number, default: []].append((name, isFinished))
      case .place(let id):
        guard canLook(at: id) else { continue }
        nameLock.withLock { held in followIfNew(reconcile(held, id, isFinished: isFinished)) }
      }
    }
    for (number, some) in names where canLook(in: number) {
      switch openDirectory(number) {
      case .opened(let directory):
        nameLock.withLock { held in
          for one in some {
            followIfNew(reconcile(held, one.name, in: directory, isFinished: one.isFinished))
          }
        }
      case .gone: rescans.settled(some.map { .name(number, $0.name) })
      case .failed(let error) where error.isRefusal:
        rescans.settled(some.map { .name(number, $0.name) })
        rescans.lookAgain(at: number)
      case .failed(let error):
        for one in some { rescans.couldNotLook(.target(.name(number, one.name)), error) }
      }
    }
  }

  private func followIfNew(_ below: Below?) {
    guard let below else { return }
    rescans.met(below.number, isNeeded: below.isNew || !watch.watches(below.number))
  }

  /// What the tree has at a name.
  private struct Known {
    var state: KnownState?
    var occupied: Occupied?
    var isOthers = false
  }

  private func known(_ directory: InodeNumber, _ name: Name) -> Known {
    namespace.read { tree in
      guard let slot = tree[directory]?.children[name] else { return Known() }
      return Known(
        state: KnownState(slot.node), occupied: slot.occupied,
        isOthers: slot.node.occupied == nil && slot.node.own == nil)
    }
  }

  /// Looks at one name in a directory.
  func reconcile(
    _ held: borrowing NamesHeld, _ name: Name, in directory: OpenDirectory, isFinished: Bool
  ) -> Below? {
    let target = WatchTarget.name(directory.number, name)
    if directory.path == nil, name.bytes == OwnFolder.stagingName { return nil }
    let known = known(directory.number, name)
    let path = try? SharePath(parent: directory.path, name: name)
    do throws(SystemError) {
      let stat = try Stat(at: directory.file.raw, name: name.bytes)
      if let path, folder.inPlaceShare(at: path) != nil {
        return keepOutOfTheWay(held, path, stat, in: directory)
      }
      if isAsBefore(known, stat, name, in: directory.file) {
        rescans.settled([target])
        return nil
      }
      switch try sort(path, name.bytes, stat, in: directory.file) {
      case .shareable(let found):
        if known.occupied != nil { files.vacate(held, directory.number, name) }
        return try reconcile(
          held, found, known.state, target, in: directory.file, name.bytes, isFinished)
      case .occupied(let occupied):
        rescans.settled([target])
        files.occupy(held, directory.number, name, occupied, known.state)
      }
    } catch  where error.code == ENOENT {
      rescans.settled(absent: target, wasKnown: known.state != nil || known.occupied != nil)
    } catch {
      rescans.couldNotLook(.target(target), error)
    }
    return nil
  }

  /// Whether nothing happened. Said before it is asked what can be shared: a symlink that was
  /// renamed here through the mount stays listed, wherever it leads now.
  private func isAsBefore(
    _ known: Known, _ stat: Stat, _ name: Name, in directory: OwnedDescriptor
  ) -> Bool {
    if let state = known.state {
      guard state.kind != .directory, !state.isStaged, state.record == FileRecord(stat) else {
        return false
      }
      // Its mode may have been changed through the mount.
      return stat.permissions & 0o400 != 0 || !stat.isRegular
        || directory.obstacle(at: name.bytes, isDirectory: false) == nil
    }
    // Its path is somebody else's still.
    return known.isOthers && known.occupied?.reason.isOfPath == true
      && known.occupied?.record == FileRecord(stat)
  }

  /// Looks at what is shared in place: whether it is there, and what it is.
  func reconcile(_ held: borrowing NamesHeld, _ id: InPlaceShareID, isFinished: Bool) -> Below? {
    guard let place = folder.inPlaceShare(id) else {
      watch.forget(place: id)
      return nil
    }
    let change: OwnFolder.InPlaceShareChange
    do throws(SystemError) { change = try folder.refresh(held, place) } catch {
      rescans.couldNotLook(.target(.place(id)), error)
      return nil
    }
    let state = namespace.read { tree in tree.node(at: place.name).flatMap { KnownState($0) } }
    if change == .gone || change == .came, let state { files.forgetOwn(held, state.number) }
    if change == .gone {
      watch.forget(place: id)
      log.warning("what is shared in place is gone", metadata: ["path": "\(place.shownPath)"])
    }
    guard let root = folder.inPlaceShare(id)?.root else { return nil }
    watchParent(of: place)
    let name = root.file ?? [UInt8(ascii: ".")]
    let known = change == .came ? nil : state
    do throws(SystemError) {
      let stat = try Stat(at: root.directory.raw, name: name)
      switch try sort(place.name, name, stat, in: root.directory, mayBeMount: true) {
      case .shareable(let found):
        return try reconcile(held, found, known, .place(id), in: root.directory, name, isFinished)
      case .occupied(let occupied):
        rescans.settled([.place(id)])
        occupy(held, place, occupied, known)
      }
    } catch  where error.code == ENOENT {
      rescans.settled([.place(id)])
    } catch {
      rescans.couldNotLook(.target(.place(id)), error)
    }
    return nil
  }

  private func occupy(
    _ held: borrowing NamesHeld, _ place: InPlaceShare, _ occupied: Occupied, _ state: KnownState?
  ) {
    let directory = namespace.read { tree in
      place.name.parent.map { tree.node(at: $0)?.number } ?? Node.rootNumber
    }
    if let directory { files.occupy(held, directory, place.name.name, occupied, state) }
  }

  private func watchParent(of place: InPlaceShare) {
    do throws(SystemError) {
      let parent = try InPlaceShare.openParent(of: place.path)
      try watch.watch(parent.file, for: place.id, name: parent.name)
    } catch {
      couldNotWatch(error)
    }
  }

  /// Looks at what was found: `name` in an open directory. `state`: what the tree has there.
  private func reconcile(
    _ held: borrowing NamesHeld,
    _ found: DiskEntry, _ state: KnownState?, _ target: WatchTarget, in directory: OwnedDescriptor,
    _ name: [UInt8], _ isFinished: Bool
  ) throws(SystemError) -> Below? {
    if found.kind == .file,
      let due = reasonToWait(found, state, in: directory, name, target, isFinished)
    {
      rescans.putOff(target, until: due)
      return nil
    }
    let below = try compare(held, found, state)
    rescans.settled([target])
    return below
  }

  /// When to look again at a file of which somebody is in the middle; nil where it can be taken as
  /// it is.
  private func reasonToWait(
    _ found: DiskEntry, _ state: KnownState?, in directory: OwnedDescriptor, _ name: [UInt8],
    _ target: WatchTarget, _ isFinished: Bool
  ) -> Instant? {
    let now = MonotonicClock.now
    if let state {
      if state.record == found.record || state.isBusy && !state.isStaged { return nil }
      // It lies in the way of one that is being copied in through the mount, or is open for writing
      // there.
      if state.isStaged || files.handles.own(state.number).contains(where: \.isWritable) {
        return now + times.settling
      }
      // What is being copied into a directory that is none any more is taken back first: the list
      // has it there until then.
      if state.kind == .directory, found.kind != .directory,
        namespace.read({ $0[state.number]?.holdsStaged ?? false })
      {
        return now + times.settling
      }
    }
    if isFinished || rescans.isFirstLook(at: target) { return nil }
    let age = FileTime.now.elapsed(since: found.stat.changed)
    guard age >= .zero, age < times.settling else { return nil }
    if BeingWritten.check(name, in: directory) == false { return nil }
    if state != nil, let since = rescans.putOffSince(target),
      now - since >= times.retelling
    {
      return nil
    }
    return now + times.settling - age
  }

  /// Brings the tree to what is on disk.
  private func compare(_ held: borrowing NamesHeld, _ found: DiskEntry, _ state: KnownState?)
    throws(SystemError) -> Below?
  {
    func below(_ number: InodeNumber, isNew: Bool) -> Below? {
      found.kind == .directory ? Below(number: number, isNew: isNew) : nil
    }
    if let state {
      if state.isStaged || state.isBusy { return nil }
      if state.kind == found.kind {
        if state.record == found.record { return below(state.number, isNew: false) }
        let isSame = state.record?.isSameFile(found.record) ?? false
        if found.kind == .file, found.record.isOnlyTouched(since: state.record) {
          try renewTouched(held, state, found)
          return nil
        }
        if isSame || origin(of: found) == nil {
          try renew(held, state.number, found)
          return below(state.number, isNew: !isSame)
        }
      }
      files.forgetOwn(held, state.number)
    }
    return below(try followMove(held, found) ?? add(held, found), isNew: true)
  }

  /// Names that were not there when they were looked at: gone, if they still are. Takes the
  /// name lock itself.
  func forgetAbsent(_ targets: [WatchTarget]) {
    // What is to be looked at as a whole later needs no look now.
    let directories = Set(
      targets.compactMap { if case .name(let number, _) = $0 { number } else { nil } })
    let silent = directories.filter { !canLook(in: $0) }
    var rest = targets.filter { target in
      if case .name(let number, _) = target { !silent.contains(number) } else { true }
    }[...]
    while !rest.isEmpty {
      let some = rest.prefix(RescanSchedule.batch)
      rest = rest.dropFirst(RescanSchedule.batch)
      nameLock.withLock { held in
        for target in some { forgetIfAbsent(held, target) }
      }
      group.drain()
    }
  }

  private func forgetIfAbsent(_ held: borrowing NamesHeld, _ target: WatchTarget) {
    guard case .name(let directory, let name) = target else { return }
    let known = known(directory, name)
    let path = namespace.read { tree -> SharePath? in
      guard let node = tree[directory] else { return nil }
      return try? SharePath(parent: tree.path(of: node), name: name)
    }
    // What is shared in place at this path does not lie in this directory.
    if known.state?.isStaged == true || path.map({ folder.inPlaceShare(at: $0) != nil }) ?? false {
      return
    }
    guard known.state != nil || known.occupied != nil else { return }
    do throws(SystemError) {
      try checkIsThere(name, in: directory)
    } catch {
      // ELOOP: a symlink stands where a directory of its path was.
      guard [ENOENT, ENOTDIR, ELOOP].contains(error.code) else {
        return rescans.couldNotLook(.target(target), error)
      }
      if let state = known.state { files.forgetOwn(held, state.number) }
      files.vacate(held, directory, name)
    }
  }

  private func checkIsThere(_ name: Name, in directory: InodeNumber) throws(SystemError) {
    let path = namespace.read { tree in tree[directory].map { tree.path(of: $0) } }
    guard let path else { throw SystemError(code: ENOENT, call: "a forgotten directory") }
    _ = try folder.stat(name, in: path)
  }
}

/// Whether some program has a file open for writing, as far as the kernel says.
enum BeingWritten {
  /// nil where it does not say: not every file system does, nor for other users' files.
  static func check(_ name: [UInt8], in directory: OwnedDescriptor) -> Bool? {
    let opened = openat(
      directory.raw, name.cPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    let file = OwnedDescriptor(opened)
    // Should somebody open it just now, the signal is one that nobody minds.
    _ = clinux_set_lease_signal(file.raw, SIGURG)
    // A read lease is given only where no writer is; it is given back at once.
    if fcntl(file.raw, clinux_f_setlease, F_RDLCK) == 0 {
      _ = fcntl(file.raw, clinux_f_setlease, F_UNLCK)
      return false
    }
    return errno == EAGAIN ? true : nil
  }
}
