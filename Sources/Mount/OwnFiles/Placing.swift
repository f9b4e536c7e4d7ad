import Core
import Glibc
import Logging
import Protocol
import System

/// What becomes of a staged file: it is placed, withdrawn, or set aside.
extension OwnFiles {
  /// Moves a staged file to where it belongs.
  /// Throws: what keeps it from there; then it is staged still.
  func placeStaged(_ held: borrowing NamesHeld, _ number: InodeNumber) throws(SystemError) {
    let own = namespace.read { tree -> OwnPlace? in
      guard let node = tree[number], node.isLinked else { return nil }
      return OwnPlace(node, tree)
    }
    guard let own, let staged = own.staged else { return }
    let wasKnown = beginOperation(number, nil)
    defer { endOperation(number, path: own.path, wasKnown: wasKnown) }
    do throws(SystemError) {
      try folder.moveIntoPlace(held, staged, at: own.path, replacing: false)
    } catch  where error.code == EEXIST {
      try stepAside(held, own.path)
      try folder.moveIntoPlace(held, staged, at: own.path, replacing: false)
    }
    namespace.note { $0[number]?.own?.staged = nil }
  }

  /// Somebody put a file there by hand, past the mount: it is kept beside ours. Throws: EEXIST
  /// where it cannot be.
  private func stepAside(_ held: borrowing NamesHeld, _ path: SharePath) throws(SystemError) {
    let isFolder = try folder.stat(path).isDirectory
    guard let aside = freeConflictPath(held, path, isFolder: isFolder) else {
      throw SystemError(code: EEXIST, call: "place a file where another lies")
    }
    try folder.rename(held, path, to: aside, replacing: false)
    budget.log(
      .warning, "conflicts", "kept a file that lay in the way", metadata: ["as": "\(aside.shown)"])
  }

  /// The group's answer to a `close`, and what it does to the file. `token`: the program that
  /// waits; nil: none does. Takes the lock itself.
  func closed(_ number: InodeNumber, _ outcome: ChangeOutcome, _ token: UInt64?) {
    disk.run { [self] in
      let code = nameLock.withLock { held -> Int32 in
        switch outcome {
        case .timedOut where settings.keepsOffline, .masterAway where settings.keepsOffline,
          .acked:
          do throws(SystemError) { try placeStaged(held, number) } catch {
            return couldNotPlace(held, number, error, token)
          }
          return 0
        case .rejected(let reason): return withdraw(held, number, reason.code, why: reason.words)
        case .timedOut:
          return withdraw(
            held, number, ETIMEDOUT, why: "the master did not answer in time\(Self.keeping)")
        case .masterAway:
          return withdraw(held, number, EHOSTDOWN, why: "the master is away\(Self.keeping)")
        }
      }
      group.drain()
      if let token { finishClose(token, code) }
    }
  }

  private static let keeping = " (-o offline=keep would keep it, and share it as soon as it can)"

  /// A `close` came to nothing before the group heard of it: a new file goes. Returns: the errno
  /// for the program.
  func couldNotAnnounce(
    _ held: borrowing NamesHeld, _ number: InodeNumber, _ error: SystemError
  ) -> Int32 {
    withdraw(held, number, error.code, why: "cannot share it (\(error))")
  }

  /// The group has a file that cannot be moved into place: it is taken back. Where no program hears
  /// of that, the file itself is kept. Returns: the errno for the program.
  private func couldNotPlace(
    _ held: borrowing NamesHeld, _ number: InodeNumber, _ error: SystemError, _ token: UInt64?
  ) -> Int32 {
    if let token, closing.withLock({ $0.waits(token) }) {
      return withdraw(held, number, error.code, why: "cannot move it into place (\(error))")
    }
    setAside(held, number, error)
    return error.code
  }

  /// A new file that is not shared goes; new content of a known one stays, and is announced until
  /// it is taken. Returns: the errno for the program that wrote.
  private func withdraw(
    _ held: borrowing NamesHeld, _ number: InodeNumber, _ code: Int32, why: String
  ) -> Int32 {
    let own = namespace.read { tree in tree[number].flatMap { OwnPlace($0, tree) } }
    guard let own else { return code }
    budget.log(
      .warning, "withdrawn files", "\(why)", metadata: ["path": "\(own.path.shown)"])
    guard let staged = own.staged else { return code }
    folder.discard(staged)
    takeBack(held, own, code)
    return code
  }

  /// Keeps a staged file that cannot be placed, and takes back what the group was told of it.
  func setAside(_ held: borrowing NamesHeld, _ number: InodeNumber, _ error: SystemError) {
    let own = namespace.read { tree in tree[number].flatMap { OwnPlace($0, tree) } }
    guard let own, let staged = own.staged else { return }
    noteAside(AsideFile(staged: staged, target: own.path, code: error.code))
    takeBack(held, own, error.code)
  }

  /// Notes that a file stays in staging, and says so. Any thread.
  func noteAside(_ aside: AsideFile) {
    asides.withLock { $0.append(aside) }
    log.warning(
      "not shared: it was copied in, but \(aside.words); it is kept, and tried again at the next start",
      metadata: [
        "path": "\(aside.target.map { $0.shown } ?? "?")", "kept": "\(folder.path(of: aside))",
      ])
  }

  private func takeBack(_ held: borrowing NamesHeld, _ own: OwnPlace, _ code: Int32) {
    let targets = namespace.changeAndTell { tree -> [WatchTarget] in
      let node = tree[own.number]
      let line = node.map { Array(sequence(first: $0, next: \.parent).prefix(2)) } ?? []
      let targets = line.compactMap { one -> WatchTarget? in
        guard let parent = one.parent, let name = one.name else { return nil }
        return .name(parent.number, name)
      }
      node?.own?.failure = code
      node?.own?.staged = nil
      tree.remove(own.id, now: .now)
      group.unshare(own.id)
      return targets
    }
    releaseImplied(held, own.path.parent)
    // What keeps it from its place, or the directory from being one, may not have been seen yet.
    rescans.add(targets, isFinished: true)
    rescans.wake()
  }
}
