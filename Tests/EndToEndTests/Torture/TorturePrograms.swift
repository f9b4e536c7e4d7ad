import Glibc
import System

/// The programs that use the mounts meanwhile: one that writes and one that reads at each member.
final class TorturePrograms: Sendable {
  private let model: TortureModel
  private let seed: UInt64
  private let isOver = Locked(false)
  private let faults = Locked<[String]>([])
  /// What each program does now, and since when; those that have ended are gone.
  private let deeds = Locked<[String: (what: String, since: Duration)]>([:])
  /// Longer than any wait that is allowed while all is well: a read's and an ack's are 5 s.
  private static let longestDeed: Duration = .seconds(60)

  /// Files of each kind that a writer has at most: they are written anew, and removed, again and
  /// again.
  private static let files = 12

  init(_ members: [Daemon], _ model: TortureModel, seed: UInt64, round: Int) throws {
    self.model = model
    self.seed = seed
    for (index, member) in members.enumerated() {
      let (name, mount) = (member.name, member.mount)
      let start = seed &+ UInt64(round) &* 1_000 &+ UInt64(index)
      let folders = members.map(\.name)
      try begin("writer of \(name)") { [self] in write(mount, name, TortureRandom(seed: start)) }
      try begin("reader of \(name)") { [self] in
        read(mount, name, folders, TortureRandom(seed: ~start))
      }
    }
  }

  /// Ends all of them. Call when nothing they wait for is stopped. Returns: what they saw that must
  /// not be.
  func end() -> [String] {
    isOver.withLock { $0 = true }
    do {
      try eventually("the programs end", within: Self.longestDeed) {
        deeds.withLock { $0.isEmpty }
      }
    } catch {
      let now = MonotonicClock.now
      return deeds.withLock { deeds in
        deeds.sorted { $0.key < $1.key }.map {
          "the \($0.key) waits for \($0.value.what), for \(now - $0.value.since)"
        }
      }
    }
    return faults.withLock { $0 }
  }

  private func begin(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
    note(name, "its turn")
    // Not joined: one that hangs ends only when the mount does.
    _ = try Thread.start(name: "program") { [self] in
      body()
      deeds.withLock { $0[name] = nil }
    }
  }

  private func note(_ program: String, _ what: String) {
    deeds.withLock { $0[program] = (what, MonotonicClock.now) }
  }

  private func write(_ mount: String, _ name: String, _ start: TortureRandom) {
    var random = start
    var made: [String] = []
    while !isOver.withLock({ $0 }) {
      let file = "\(name)/\(random.below(Self.files))"
      note("writer of \(name)", file)
      do {
        let share = try TortureShare(mount: mount)
        switch random.below(4) {
        case 0:
          if made.count > Self.files { remove(made.removeFirst(), share) }
          made.append("\(name)/new-\(model.newVersion())")
          make(made[made.count - 1], share)
        case 1: remove(file, share)
        default: save(file, share)
        }
      } catch {
        // Nothing is mounted there now.
        _ = poll(nil, 0, 50)
      }
    }
  }

  /// A new file: the group has it once it is closed.
  @discardableResult
  private func make(_ path: String, _ share: TortureShare) -> TortureModel.Version? {
    let version = model.newVersion()
    let bytes = TortureContent.bytes(version, seed: seed)
    model.begins(path, version)
    let isAcked = done { () throws(SystemError) in
      try share.create(path, bytes) { model.spoils(path) }
    }
    model.ended(path, version, isAcked: isAcked)
    return isAcked ? version : nil
  }

  /// As an editor does: a new file takes the place of the old one.
  private func save(_ path: String, _ share: TortureShare) {
    let beside = "\(path)~\(model.newVersion())"
    guard let version = make(beside, share) else { return }
    model.begins(path, version)
    model.begins(beside, 0)
    let isDone = done { () throws(SystemError) in try share.rename(beside, path) }
    model.ended(path, version, isAcked: isDone)
    model.ended(beside, 0, isAcked: isDone)
  }

  private func remove(_ path: String, _ share: TortureShare) {
    guard let version = model.known(path), version != 0 else { return }
    model.begins(path, 0)
    let isDone = done { () throws(SystemError) in try share.remove(path) }
    model.ended(path, 0, isAcked: isDone)
  }

  private func done(_ body: () throws(SystemError) -> Void) -> Bool {
    do throws(SystemError) {
      try body()
      return true
    } catch { return false }
  }

  private func read(
    _ mount: String, _ name: String, _ folders: [String], _ start: TortureRandom
  ) {
    var random = start
    while !isOver.withLock({ $0 }) {
      let folder = folders[random.below(folders.count)]
      do {
        note("reader of \(name)", "the names in \(folder)")
        let share = try TortureShare(mount: mount)
        let names = try share.names(in: folder)
        for name in names where !model.knows("\(folder)/\(name)") {
          report("\(mount) lists \(folder)/\(name), which nobody made")
        }
        guard !names.isEmpty else {
          _ = poll(nil, 0, 20)
          continue
        }
        let path = "\(folder)/\(names[random.below(names.count)])"
        note("reader of \(name)", path)
        try look(path, share, mount, isOwn: mount.contains("mount-\(folder)-"))
      } catch {
        model.noteRead(isWhole: false)
        _ = poll(nil, 0, 20)
      }
    }
  }

  private func look(
    _ path: String, _ share: TortureShare, _ mount: String, isOwn: Bool
  ) throws(SystemError) {
    // Beside its writer a file shows while it is written, as in any folder.
    let before = model.known(path)
    let bytes = try share.read(path)
    if model.version(of: bytes, at: path, seed: seed) == nil,
      !isOwn || before != nil && model.known(path) == before
    {
      return report("\(mount) shows \(bytes.count) bytes at \(path) that are no version of it")
    }
    model.noteRead(isWhole: true)
  }

  private func report(_ fault: String) { faults.withLock { $0.append(fault) } }
}

/// SplitMix64.
struct TortureRandom: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Requires: `limit` above 0.
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
