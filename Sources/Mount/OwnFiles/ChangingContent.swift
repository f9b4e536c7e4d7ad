import Glibc
import Protocol
import System

/// Own files that were written since they were announced and are held open, with the time of the
/// first such write.
struct GrowingFiles: Sendable {
  /// How long a file grows before the others hear of it, unless it is closed or synchronised
  /// before.
  static let interval: Duration = .seconds(5)
  private var since: [InodeNumber: Duration] = [:]
  /// When `takeDue` may find something; never later.
  private(set) var nextDeadline: Duration?

  /// A file was written for the first time since it was announced.
  mutating func note(_ number: InodeNumber, now: Duration) {
    if since.updateValue(now, forKey: number) == nil {
      nextDeadline = nextDeadline ?? now + Self.interval
    }
  }

  /// Takes out those that have grown for long enough.
  mutating func takeDue(now: Duration) -> [InodeNumber] {
    guard let nextDeadline, now >= nextDeadline else { return [] }
    let due = since.filter { now >= $0.value + Self.interval }.keys.sorted()
    for number in due { since[number] = nil }
    self.nextDeadline = since.values.min().map { $0 + Self.interval }
    return due
  }
}

/// Changing the content of own files, so that what was announced of them stays readable as far as
/// it stays.
extension OwnFiles {
  /// Makes a change of an own file's content. `offset`: what lies before it stays as it is. `stat`:
  /// of the file. The file counts as written, also where `body` throws.
  @discardableResult
  func changeContent<Result>(
    _ number: InodeNumber, from offset: UInt64, stat: () throws(SystemError) -> Stat,
    _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    beginChange(number, from: offset, try? stat())
    defer { endChange(number, from: offset, stat) }
    return try body()
  }

  /// The same, of an open file, for a program.
  @discardableResult
  func changeContent<Result>(
    for request: Request, _ number: InodeNumber, _ file: OwnedDescriptor, from offset: UInt64,
    _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    func stat() throws(SystemError) -> Stat { try Stat(descriptor: file.raw) }
    return try changeContent(number, from: offset, stat: stat) { () throws(SystemError) in
      try dropPrivileges(number, file, for: request)
      return try body()
    }
  }

  /// Takes the right to run as its owner or group from a file that somebody but root writes to: of
  /// the kernel's work, what `FUSE_HANDLE_KILLPRIV_V2` leaves to us.
  private func dropPrivileges(
    _ number: InodeNumber, _ file: OwnedDescriptor, for request: Request
  ) throws(SystemError) {
    if request.caller.user == 0 { return }
    guard let mode = namespace.read({ $0[number]?.attributes.mode }) else { return }
    let kept = mode & ~(S_ISUID | S_ISGID)
    if kept == mode { return }
    try retryingOnInterrupt("chmod") { chmod(file.procPath, mode_t(kept)) }
    // Nobody but us knows: the kernel answers whoever asks for nothing but the mode by what it
    // remembers.
    namespace.changeAndTell { tree in
      tree[number]?.attributes.mode = kept
      tree.invalidations.append(.attributes(number))
    }
  }

  private func beginChange(_ number: InodeNumber, from offset: UInt64, _ stat: Stat?) {
    namespace.note { tree in
      guard let node = tree[number], let own = node.own else { return }
      let announced = own.isAnnounced ? node.entry : nil
      if let stat, let record = own.record, own.history.isSettled, own.operations == 0,
        record != FileRecord(stat)
      {
        node.own!.history.loseTrack(announced)
      }
      node.own!.history.begin(at: offset, announced, size: node.attributes.size)
    }
  }

  /// Somebody else than this program has changed an own file.
  func loseTrack(of number: InodeNumber) {
    namespace.note { tree in
      guard let node = tree[number], let own = node.own else { return }
      node.own!.history.loseTrack(own.isAnnounced ? node.entry : nil)
    }
  }

  private func endChange(
    _ number: InodeNumber, from offset: UInt64, _ stat: () throws(SystemError) -> Stat
  ) {
    let change = namespace.note { tree -> UInt64? in
      guard let node = tree[number], let own = node.own else { return nil }
      if !own.isDirty, own.isAnnounced, own.staged == nil {
        growing.withLock { $0.note(number, now: MonotonicClock.now) }
      }
      node.own!.writes += 1
      node.own!.history.end(at: offset)
      return node.own!.history.isChanging ? nil : own.history.changes
    }
    // The last of several at a time says how they left the file.
    guard let change, let stat = try? stat() else { return }
    namespace.note { tree in
      guard let node = tree[number], node.own != nil else { return }
      node.own!.renewRecord(FileRecord(stat))
      node.own!.history.settle(behind: change)
    }
  }

  /// Announces files that grow while they are held open: a log, a recording. Only what is appended:
  /// who writes a file anew is done when it is closed or synchronised. Link thread.
  func announceGrowing() {
    let due = growing.withLock { $0.takeDue(now: MonotonicClock.now) }
    if due.isEmpty { return }
    disk.run { [self] in
      nameLock.withLock { held in
        for number in due {
          let hasGrown = namespace.read { tree in
            guard let own = tree[number]?.own else { return false }
            return own.isAnnounced && own.staged == nil && own.isDirty && own.history.hasOnlyGrown
          }
          if hasGrown { announceOrOwe(held, number, file: nil) }
        }
      }
      group.drain()
    }
  }
}

extension OwnState {
  /// Notes how a change of ours left the file, unless a later one was noted already.
  mutating func renewRecord(_ stat: FileRecord) {
    if record.map({ $0.changed <= stat.changed }) ?? true { record = stat }
  }
}
