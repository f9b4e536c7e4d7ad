import CLinux
import Core
import Glibc
import Logging
import Protocol
import System

/// One name on disk beside what the tree has of it. Namespace lock held, but where said otherwise.
extension Volume {
  /// What a look needs to know of an own node.
  struct Sight {
    let number: InodeNumber
    let id: EntryID
    let kind: EntryKind
    let record: FileRecord?
    let isStaged: Bool
    /// A change of ours is under way, which will be told by whoever makes it.
    let isBusy: Bool
  }

  /// A name on disk.
  struct Found {
    let path: SharePath
    let stat: Stat
    let kind: EntryKind
    /// Where a symlink points.
    let target: [UInt8]
    var record: FileRecord { FileRecord(stat) }
  }

  /// A directory that a look came by.
  struct Below {
    let number: InodeNumber
    /// Whether it is new to the tree at this place, so that nothing is known of what lies in it.
    let isNew: Bool
  }

  /// Looks at what waited; takes the namespace lock itself. What is there goes before what is not: it may have come
  /// from there.
  func look(at spots: [(spot: LookSpot, isFinished: Bool)]) {
    var names: [InodeNumber: [(name: Name, isFinished: Bool)]] = [:]
    for (spot, isFinished) in spots {
      switch spot {
      case .name(let number, let name): names[number, default: []].append((name, isFinished))
      case .place(let id):
        guard canLook(at: id) else { continue }
        namespace.withLock { _ in followIfNew(look(at: id, isFinished: isFinished)) }
      }
    }
    for (number, some) in names where canLook(in: number) {
      guard let directory = openDirectory(number) else {
        looks.withLock { looks in
          for one in some { looks.settled(.name(number, one.name)) }
        }
        continue
      }
      namespace.withLock { _ in
        for one in some {
          followIfNew(look(at: one.name, in: directory, isFinished: one.isFinished))
        }
      }
    }
  }

  private func followIfNew(_ below: Below?) {
    guard let below else { return }
    let isWatched = watch.watches(below.number)
    looks.withLock { looks in
      if looks.met(below.number) || below.isNew || !isWatched { looks.add(folder: below.number) }
    }
  }

  /// Looks at one name in a directory.
  func look(at name: Name, in directory: OpenDirectory, isFinished: Bool) -> Below? {
    let spot = LookSpot.name(directory.number, name)
    if directory.path == nil, name.bytes == OwnFolder.stagingName { return nil }
    guard let path = try? SharePath(parent: directory.path, name: name) else { return nil }
    let sight = tree.withLock { tree in
      tree[directory.number]?.children[name].flatMap { Self.sight($0.node) }
    }
    guard let stat = try? Stat(at: directory.file.raw, name: name.bytes) else {
      looks.withLock { looks in
        if sight != nil { looks.add(absent: spot) }
        looks.settled(spot)
      }
      return nil
    }
    if folder.place(at: path) != nil { return keepOutOfTheWay(path, in: directory) }
    // Nothing happened. Said before it is asked what can be shared: a symlink that was renamed here through the mount
    // stays listed, wherever it leads now.
    if let sight, sight.kind != .directory, !sight.isStaged, sight.record == FileRecord(stat) {
      looks.withLock { $0.settled(spot) }
      return nil
    }
    let isMounted = stat.dev != directory.device
    guard let found = shareable(path, stat, isMounted: isMounted, in: directory.file) else {
      looks.withLock { $0.settled(spot) }
      if let sight, !sight.isStaged { forgetOwn(sight.number) }
      return nil
    }
    return look(at: found, sight, spot, in: directory.file, name.bytes, isFinished)
  }

  /// Looks at what is shared in place: whether it is there, and what it is.
  func look(at id: PlaceID, isFinished: Bool) -> Below? {
    guard let place = folder.places.withLock({ $0[id] }) else {
      watch.forget(place: id)
      return nil
    }
    let change = folder.refresh(place)
    let sight = tree.withLock { tree in tree.node(at: place.name).flatMap { Self.sight($0) } }
    if change == .gone || change == .came, let sight { forgetOwn(sight.number) }
    if change == .gone {
      watch.forget(place: id)
      log.warning("what is shared in place is gone", metadata: ["path": "\(place.shownPath)"])
    }
    guard let root = folder.places.withLock({ $0[id]?.root }) else { return nil }
    watchParent(of: place)
    let name = root.file ?? [UInt8(ascii: ".")]
    guard let stat = try? Stat(at: root.directory.raw, name: name),
      let found = shareable(place.name, stat, isMounted: false, in: root.directory)
    else { return nil }
    let known = change == .came ? nil : sight
    return look(at: found, known, .place(id), in: root.directory, name, isFinished)
  }

  private func watchParent(of place: SharedPlace) {
    do throws(SystemError) {
      let parent = try SharedPlace.openParent(of: place.path)
      try watch.watch(parent.file, for: place.id, name: parent.name)
    } catch {
      couldNotWatch(error)
    }
  }

  /// Looks at what was found: `name` in an open directory. `sight`: what the tree has there.
  private func look(
    at found: Found, _ sight: Sight?, _ spot: LookSpot, in directory: OwnedDescriptor,
    _ name: [UInt8], _ isFinished: Bool
  ) -> Below? {
    if found.kind == .file,
      let due = reasonToWait(found, sight, in: directory, name, spot, isFinished)
    {
      looks.withLock { $0.putOff(spot, until: due, now: MonotonicClock.now) }
      return nil
    }
    looks.withLock { $0.settled(spot) }
    return compare(found, sight)
  }

  static func sight(_ node: Node) -> Sight? {
    guard let own = node.own else { return nil }
    return Sight(
      number: node.number, id: own.id, kind: node.kind, record: own.record,
      isStaged: own.staged != nil,
      isBusy: own.isDirty || own.operations > 0 || !own.history.isSettled)
  }

  /// What there is at a path, if it can be shared; says why where it cannot.
  private func shareable(
    _ path: SharePath, _ stat: Stat, isMounted: Bool, in directory: OwnedDescriptor
  ) -> Found? {
    func skip(_ why: String) -> Found? {
      budget.log(
        .warning, "what is not shared", "not shared: \(why)", metadata: ["path": "\(shown(path))"])
      return nil
    }
    if isMounted { return skip("another file system is mounted there") }
    if stat.isDirectory { return Found(path: path, stat: stat, kind: .directory, target: []) }
    if stat.isRegular { return Found(path: path, stat: stat, kind: .file, target: []) }
    guard stat.isSymlink else { return skip("not a file, directory or symlink") }
    guard let target = try? readLink(path.name.bytes.cPath, in: directory) else { return nil }
    guard SymlinkTarget.isContained(target, depth: path.depth) else {
      return skip("the symlink leads out of the share")
    }
    return Found(path: path, stat: stat, kind: .symlink, target: target)
  }

  /// When to look again at a file of which somebody is in the middle; nil where it can be taken as it is.
  private func reasonToWait(
    _ found: Found, _ sight: Sight?, in directory: OwnedDescriptor, _ name: [UInt8],
    _ spot: LookSpot, _ isFinished: Bool
  ) -> Instant? {
    let now = MonotonicClock.now
    let times = settings.watching
    if let sight {
      if sight.record == found.record || sight.isBusy && !sight.isStaged { return nil }
      // It lies in the way of one that is being copied in through the mount, or is open for writing there.
      if sight.isStaged || handles.withLock({ $0.own(sight.number).contains(where: \.isWritable) })
      {
        return now + times.settling
      }
    }
    if isFinished || looks.withLock({ $0.isStarting }) { return nil }
    let age = FileTime.now.elapsed(since: found.stat.changed)
    guard age >= .zero, age < times.settling else { return nil }
    if BeingWritten.check(name, in: directory) == false { return nil }
    if sight != nil, let since = looks.withLock({ $0.putOffSince(spot) }),
      now - since >= times.retelling
    {
      return nil
    }
    return now + times.settling - age
  }

  /// Brings the tree to what is on disk.
  private func compare(_ found: Found, _ sight: Sight?) -> Below? {
    func below(_ number: InodeNumber, isNew: Bool) -> Below? {
      found.kind == .directory ? Below(number: number, isNew: isNew) : nil
    }
    if let sight {
      if sight.isStaged || sight.isBusy { return nil }
      if sight.kind == found.kind {
        if sight.record == found.record { return below(sight.number, isNew: false) }
        let isSame = sight.record?.isSameFile(found.record) ?? false
        if found.kind == .file, Self.isOnlyTouched(sight.record, found.record) {
          renewTouched(sight, found)
          return nil
        }
        if isSame || origin(of: found) == nil {
          renew(sight.number, found)
          return below(sight.number, isNew: !isSame)
        }
      }
      forgetOwn(sight.number)
    }
    return below(followMove(found) ?? add(found), isNew: true)
  }

  /// Names that were not there when they were looked at: gone, if they still are. Takes the namespace lock itself.
  func forgetAbsent(_ spots: [LookSpot]) {
    // What is to be looked at as a whole later needs no look now.
    let directories = Set(
      spots.compactMap { if case .name(let number, _) = $0 { number } else { nil } })
    let silent = directories.filter { !canLook(in: $0) }
    var rest = spots.filter { spot in
      if case .name(let number, _) = spot { !silent.contains(number) } else { true }
    }[...]
    while !rest.isEmpty {
      let some = rest.prefix(LookQueue.batch)
      rest = rest.dropFirst(LookQueue.batch)
      namespace.withLock { _ in
        for spot in some { forgetIfAbsent(spot) }
      }
      group.drain()
    }
  }

  private func forgetIfAbsent(_ spot: LookSpot) {
    guard case .name(let directory, let name) = spot else { return }
    let found = tree.withLock { tree -> (Sight, SharePath)? in
      guard let node = tree[directory]?.children[name]?.node, let path = tree.path(of: node),
        let sight = Self.sight(node)
      else { return nil }
      return (sight, path)
    }
    // What is shared in place at this path does not lie in this directory.
    guard let (sight, path) = found, !sight.isStaged, folder.place(at: path) == nil else { return }
    do throws(SystemError) {
      _ = try folder.stat(path)
    } catch {
      // ELOOP: a symlink stands where a directory of its path was.
      if [ENOENT, ENOTDIR, ELOOP].contains(error.code) { forgetOwn(sight.number) }
    }
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
