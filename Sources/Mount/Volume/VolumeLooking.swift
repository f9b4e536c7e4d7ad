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

  /// A directory that a look came by.
  struct Below {
    let number: InodeNumber
    /// Whether it is new to the tree at this place, so that nothing is known of what lies in it.
    let isNew: Bool
  }

  /// Looks at what waited; takes the namespace lock itself. What is there goes before what is not:
  /// it may have come from there.
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
      switch openDirectory(number) {
      case .opened(let directory):
        namespace.withLock { _ in
          for one in some {
            followIfNew(look(at: one.name, in: directory, isFinished: one.isFinished))
          }
        }
      case .gone: settle(some.map { .name(number, $0.name) })
      case .failed(let error) where error.isRefusal:
        settle(some.map { .name(number, $0.name) })
        lookAgain(at: number)
      case .failed(let error):
        for one in some { couldNotLook(.spot(.name(number, one.name)), error) }
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

  private func settle(_ spots: [LookSpot]) {
    looks.withLock { looks in
      for spot in spots { looks.settled(spot) }
    }
  }

  /// Something could not be looked at: that is tried again, and said once.
  func couldNotLook(_ attempt: LookRetries.Attempt, _ error: SystemError) {
    guard looks.withLock({ $0.failed(attempt) }) else { return }
    budget.log(
      .warning, "what could not be looked at",
      "something in the own folder could not be looked at; that is tried again",
      metadata: ["why": "\(error)"])
  }

  /// What the tree has at a name.
  private struct Known {
    var sight: Sight?
    var occupied: Occupied?
    var isOthers = false
  }

  private func known(_ directory: InodeNumber, _ name: Name) -> Known {
    tree.withLock { tree in
      guard let slot = tree[directory]?.children[name] else { return Known() }
      return Known(
        sight: Self.sight(slot.node), occupied: slot.occupied,
        isOthers: slot.node.occupied == nil && slot.node.own == nil)
    }
  }

  /// Looks at one name in a directory.
  func look(at name: Name, in directory: OpenDirectory, isFinished: Bool) -> Below? {
    let spot = LookSpot.name(directory.number, name)
    if directory.path == nil, name.bytes == OwnFolder.stagingName { return nil }
    let known = known(directory.number, name)
    let path = try? SharePath(parent: directory.path, name: name)
    do throws(SystemError) {
      let stat = try Stat(at: directory.file.raw, name: name.bytes)
      if let path, folder.place(at: path) != nil {
        return keepOutOfTheWay(path, stat, in: directory)
      }
      if isAsBefore(known, stat, name, in: directory.file) {
        settle([spot])
        return nil
      }
      switch try sort(path, name.bytes, stat, in: directory.file) {
      case .shareable(let found):
        if known.occupied != nil { vacate(directory.number, name) }
        return try look(
          at: found, known.sight, spot, in: directory.file, name.bytes, isFinished)
      case .occupied(let occupied):
        settle([spot])
        occupy(directory.number, name, occupied, known.sight)
      }
    } catch  where error.code == ENOENT {
      looks.withLock { looks in
        if known.sight != nil || known.occupied != nil { looks.add(absent: spot) }
        looks.settled(spot)
      }
    } catch {
      couldNotLook(.spot(spot), error)
    }
    return nil
  }

  /// Whether nothing happened. Said before it is asked what can be shared: a symlink that was
  /// renamed here through the mount stays listed, wherever it leads now.
  private func isAsBefore(
    _ known: Known, _ stat: Stat, _ name: Name, in directory: OwnedDescriptor
  ) -> Bool {
    if let sight = known.sight {
      guard sight.kind != .directory, !sight.isStaged, sight.record == FileRecord(stat) else {
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
  func look(at id: PlaceID, isFinished: Bool) -> Below? {
    guard let place = folder.places.withLock({ $0[id] }) else {
      watch.forget(place: id)
      return nil
    }
    let change: OwnFolder.PlaceChange
    do throws(SystemError) { change = try folder.refresh(place) } catch {
      couldNotLook(.spot(.place(id)), error)
      return nil
    }
    let sight = tree.withLock { tree in tree.node(at: place.name).flatMap { Self.sight($0) } }
    if change == .gone || change == .came, let sight { forgetOwn(sight.number) }
    if change == .gone {
      watch.forget(place: id)
      log.warning("what is shared in place is gone", metadata: ["path": "\(place.shownPath)"])
    }
    guard let root = folder.places.withLock({ $0[id]?.root }) else { return nil }
    watchParent(of: place)
    let name = root.file ?? [UInt8(ascii: ".")]
    let known = change == .came ? nil : sight
    do throws(SystemError) {
      let stat = try Stat(at: root.directory.raw, name: name)
      switch try sort(place.name, name, stat, in: root.directory, mayBeMount: true) {
      case .shareable(let found):
        return try look(at: found, known, .place(id), in: root.directory, name, isFinished)
      case .occupied(let occupied):
        settle([.place(id)])
        occupy(place, occupied, known)
      }
    } catch  where error.code == ENOENT {
      settle([.place(id)])
    } catch {
      couldNotLook(.spot(.place(id)), error)
    }
    return nil
  }

  private func occupy(_ place: SharedPlace, _ occupied: Occupied, _ sight: Sight?) {
    let directory = tree.withLock { tree in
      place.name.parent.map { tree.node(at: $0)?.number } ?? Node.rootNumber
    }
    if let directory { occupy(directory, place.name.name, occupied, sight) }
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
  ) throws(SystemError) -> Below? {
    if found.kind == .file,
      let due = reasonToWait(found, sight, in: directory, name, spot, isFinished)
    {
      looks.withLock { $0.putOff(spot, until: due, now: MonotonicClock.now) }
      return nil
    }
    let below = try compare(found, sight)
    settle([spot])
    return below
  }

  static func sight(_ node: Node) -> Sight? {
    guard let own = node.own else { return nil }
    return Sight(
      number: node.number, id: own.id, kind: node.kind, record: own.record,
      isStaged: own.staged != nil,
      isBusy: own.isDirty || own.operations > 0 || !own.history.isSettled)
  }

  /// When to look again at a file of which somebody is in the middle; nil where it can be taken as
  /// it is.
  private func reasonToWait(
    _ found: Found, _ sight: Sight?, in directory: OwnedDescriptor, _ name: [UInt8],
    _ spot: LookSpot, _ isFinished: Bool
  ) -> Instant? {
    let now = MonotonicClock.now
    let times = settings.watching
    if let sight {
      if sight.record == found.record || sight.isBusy && !sight.isStaged { return nil }
      // It lies in the way of one that is being copied in through the mount, or is open for writing
      // there.
      if sight.isStaged || handles.withLock({ $0.own(sight.number).contains(where: \.isWritable) })
      {
        return now + times.settling
      }
      // What is being copied into a directory that is none any more is taken back first: the list
      // has it there until then.
      if sight.kind == .directory, found.kind != .directory,
        tree.withLock({ $0[sight.number]?.holdsStaged ?? false })
      {
        return now + times.settling
      }
    }
    if isFinished || looks.withLock({ $0.isFirstLook(at: spot) }) { return nil }
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
  private func compare(_ found: Found, _ sight: Sight?) throws(SystemError) -> Below? {
    func below(_ number: InodeNumber, isNew: Bool) -> Below? {
      found.kind == .directory ? Below(number: number, isNew: isNew) : nil
    }
    if let sight {
      if sight.isStaged || sight.isBusy { return nil }
      if sight.kind == found.kind {
        if sight.record == found.record { return below(sight.number, isNew: false) }
        let isSame = sight.record?.isSameFile(found.record) ?? false
        if found.kind == .file, Self.isOnlyTouched(sight.record, found.record) {
          try renewTouched(sight, found)
          return nil
        }
        if isSame || origin(of: found) == nil {
          try renew(sight.number, found)
          return below(sight.number, isNew: !isSame)
        }
      }
      forgetOwn(sight.number)
    }
    return below(try followMove(found) ?? add(found), isNew: true)
  }

  /// Names that were not there when they were looked at: gone, if they still are. Takes the
  /// namespace lock itself.
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
    let known = known(directory, name)
    let path = tree.withLock { tree -> SharePath? in
      guard let node = tree[directory] else { return nil }
      return try? SharePath(parent: tree.path(of: node), name: name)
    }
    // What is shared in place at this path does not lie in this directory.
    if known.sight?.isStaged == true || path.map({ folder.place(at: $0) != nil }) ?? false {
      return
    }
    guard known.sight != nil || known.occupied != nil else { return }
    do throws(SystemError) {
      try checkIsThere(name, in: directory)
    } catch {
      // ELOOP: a symlink stands where a directory of its path was.
      guard [ENOENT, ENOTDIR, ELOOP].contains(error.code) else {
        return couldNotLook(.spot(spot), error)
      }
      if let sight = known.sight { forgetOwn(sight.number) }
      vacate(directory, name)
    }
  }

  private func checkIsThere(_ name: Name, in directory: InodeNumber) throws(SystemError) {
    let path = tree.withLock { tree in tree[directory].map { tree.path(of: $0) } }
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
