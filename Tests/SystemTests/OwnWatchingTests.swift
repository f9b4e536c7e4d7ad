import CLinux
import Core
import Glibc
import Logging
import Mount
import Protocol
import Sealing
import System
import Testing

/// The own folder watched, without a mount: what a group is told of it equals what lies there.
@Suite(.timeLimit(.minutes(5))) struct OwnWatchingTests {
  /// Bursts of random changes made past the mount, directories moved in and out of the folder among
  /// them.
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func `random changes end in equality`(
    seed: UInt64
  ) throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.start()
    var random = Random(seed)
    for burst in 0..<12 {
      for _ in 0..<Int(random.next(60)) { scene.change(&random) }
      try scene.waitForEquality("seed \(seed), burst \(burst)")
    }
  }

  @Test func `a start tells what is there, and a second one the same entries`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    var random = Random(7)
    for _ in 0..<200 { scene.change(&random) }
    try scene.start()
    try scene.waitForEquality("first start")
    let before = Dictionary(
      uniqueKeysWithValues: scene.group.entries.map { ($0.value.path, $0.key) })
    scene.stop()
    try scene.start()
    try scene.waitForEquality("second start")
    for (id, entry) in scene.group.entries { #expect(before[entry.path] == id) }
  }

  @Test func `a moved folder is one rename`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("a/b/c", "x")
    try scene.make("a/d", "y")
    try scene.start()
    let removals = scene.group.removals
    try scene.rename("a", to: "z")
    try scene.waitForEquality("moved")
    #expect(scene.group.renames == ["z"])
    #expect(scene.group.removals == removals)
  }

  @Test func `a file saved by a rename is one change`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("text", "first")
    try scene.start()
    let removals = scene.group.removals
    try scene.make("text.new", "second")
    try scene.rename("text.new", to: "text")
    try scene.waitForEquality("saved")
    #expect(scene.group.removals == removals)
  }

  @Test func `directories that cannot be watched are compared now and then`() throws {
    var times = WatchTimes()
    times.limit = 3
    times.comparing = .milliseconds(50)
    let scene = try WatchedFolder(times)
    defer { scene.end() }
    for number in 0..<6 { try scene.make("\(number)/file", "x") }
    try scene.start()
    var random = Random(3)
    for burst in 0..<5 {
      for number in 0..<6 { try scene.make("\(number)/file", "burst \(burst)") }
      for _ in 0..<20 { scene.change(&random) }
      try scene.waitForEquality("burst \(burst)")
    }
  }

  @Test func `what is only looked at is not told again`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("a/b", "x")
    try scene.make("last", "x")
    try scene.start()
    let before = scene.group.tellings
    _ = try File.readAll(scene.own + "/a/b", limit: 10)
    #expect(chmod(scene.own + "/a", 0o755) == 0)
    try scene.make("later", "x")
    try scene.waitForEquality("later")
    // The folder's time of change, and what is new.
    #expect(scene.group.tellings <= before + 2)
  }
}

/// A folder, a volume without a mount, and a group that takes everything.
final class WatchedFolder {
  let own: String
  let group = TakingGroup()
  let base: String
  private let times: WatchTimes
  private(set) var volume: Volume?
  /// What lies there and is not to be told.
  var isIgnored: (String) -> Bool = { _ in false }

  init(_ times: WatchTimes = WatchTimes()) throws {
    self.times = times
    base = "/tmp/fsharefs-watch-" + String(SecureRandom.uint64(), radix: 16)
    own = base + "/own"
    try File.makeDirectories(own, mode: 0o755)
    try File.makeDirectories(base + "/outside", mode: 0o755)
  }

  func start() throws {
    var settings = Volume.Settings()
    settings.watching = times
    var log = Logger(label: "test")
    log.logLevel = .critical
    group.forget()
    let volume = try Volume(
      folder: OwnFolder(path: own, placesFile: base + "/shares"),
      index: OwnIndex(path: base + "/index"), group: group, sealer: Sealer(), settings: settings,
      log: log,
      numberKey: [UInt8](repeating: 1, count: FileNumbers.keyLength))
    self.volume = volume
    try volume.shareOwnFolder()
    try volume.folderSync.startWatching()
  }

  func stop() {
    volume?.stop()
    volume = nil
  }

  func end() {
    stop()
    remove(base)
  }

  func make(_ path: String, _ text: String) throws {
    try File.makeDirectories(File.folder(of: own + "/" + path), mode: 0o755)
    let file = OwnedDescriptor(
      try retryingOnInterrupt(path) {
        open(own + "/" + path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      })
    try File.writeAll(Array(text.utf8), to: file.raw, path)
  }

  func rename(_ old: String, to new: String) throws {
    try retryingOnInterrupt(old) { Glibc.rename(own + "/" + old, own + "/" + new) }
  }

  /// One change; many fail, as they may.
  func change(_ random: inout Random) {
    let (one, other) = (path(&random), path(&random))
    switch random.next(12) {
    case 0...2: try? make(one, String(repeating: "x", count: Int(random.next(2_000))))
    case 3: mkdir(own + "/" + one, 0o755)
    case 4: unlink(own + "/" + one)
    case 5:
      if random.next(4) == 0 { remove(own + "/" + one) } else { rmdir(own + "/" + one) }
    case 6, 7: Glibc.rename(own + "/" + one, own + "/" + other)
    case 8: symlink("a", own + "/" + one)
    case 9: chmod(own + "/" + one, 0o600 + mode_t(random.next(0o100)))
    case 10:
      clinux_renameat2(
        AT_FDCWD, own + "/" + one, AT_FDCWD, own + "/" + other, clinux_rename_exchange)
    default:
      let outside = base + "/outside/\(random.next(3))"
      _ =
        random.next(2) == 0
        ? Glibc.rename(own + "/" + one, outside) : Glibc.rename(outside, own + "/" + one)
    }
  }

  private func path(_ random: inout Random) -> String {
    (0...Int(random.next(3))).map { _ in ["a", "b", "c", "d"][Int(random.next(4))] }
      .joined(separator: "/")
  }

  /// Waits until the group was told what lies in the folder.
  func waitForEquality(_ what: String) throws {
    let deadline = MonotonicClock.now + .seconds(20)
    var difference = "?"
    while MonotonicClock.now < deadline {
      let (disk, told) = (Self.items(own).filter { !isIgnored($0.key) }, group.items)
      if disk == told { return }
      let paths = Set(disk.keys).union(told.keys).filter { disk[$0] != told[$0] }.sorted()
      difference = paths.map { "\($0): \(disk[$0] ?? "nothing") <> \(told[$0] ?? "nothing")" }
        .joined(separator: "\n")
      group.waitForChange(.milliseconds(20))
    }
    Issue.record("\(what): the group does not have what is there:\n\(difference)")
    throw SystemError(code: ETIMEDOUT, call: what)
  }

  private static func items(_ folder: String, _ prefix: String = "") -> [String: String] {
    var items: [String: String] = [:]
    guard let stream = opendir(folder) else { return [:] }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if [".", "..", ".fsharefs-staging"].contains(name) { continue }
      let path = prefix + name
      guard let stat = try? Stat(at: AT_FDCWD, name: Array("\(folder)/\(name)".utf8)) else {
        continue
      }
      if stat.isDirectory {
        items[path] = "folder \(stat.permissions)"
        items.merge(Self.items("\(folder)/\(name)", path + "/")) { $1 }
      } else if stat.isSymlink {
        items[path] = "link"
      } else {
        items[path] = "file \(stat.permissions) \(stat.size) \(stat.modified)"
      }
    }
    return items
  }

  private func remove(_ path: String) {
    if let stat = try? Stat(at: AT_FDCWD, name: Array(path.utf8)), stat.isDirectory,
      let stream = opendir(path)
    {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { remove(path + "/" + name) }
      }
      closedir(stream)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}

/// A group that takes every change at once, and keeps what it was told.
final class TakingGroup: GroupPort {
  private struct State {
    var entries: [EntryID: Entry] = [:]
    var renames: [String] = []
    var removals = 0
    var tellings = 0
    var changes = 0
  }

  private let state = Monitor(State())

  var entries: [EntryID: Entry] { state.withLock { $0.entries } }
  var renames: [String] { state.withLock { $0.renames } }
  var removals: Int { state.withLock { $0.removals } }
  var tellings: Int { state.withLock { $0.tellings } }
  var deviceName: DeviceName { DeviceName("test")! }
  var answersChanges: Bool { true }

  var items: [String: String] {
    Dictionary(
      entries.values.map { entry in
        let path = String(decoding: entry.path.bytes, as: UTF8.self)
        return switch entry.kind {
        case .directory: (path, "folder \(entry.mode)")
        case .symlink: (path, "link")
        case .file: (path, "file \(entry.mode) \(entry.size) \(entry.modified)")
        }
      }, uniquingKeysWith: { first, second in "both \(first) and \(second)" })
  }

  func forget() { state.update { $0 = State() } }

  func waitForChange(_ limit: Duration) {
    let before = state.withLock { $0.changes }
    _ = state.wait(timeout: limit) { $0.changes != before ? true : nil }
  }

  func share(_ entry: Entry) {
    state.update { state in
      state.changes += 1
      state.tellings += 1
      // As the list does: what is told of a path takes the place of an own entry there.
      for (id, other) in state.entries where other.path == entry.path && id != entry.id {
        state.entries[id] = nil
      }
      state.entries[entry.id] = entry
    }
  }

  func share(
    _ entry: Entry, timeout: Duration, _ done: @escaping @Sendable (ChangeOutcome) -> Void
  ) {
    share(entry)
    done(.acked)
  }

  func unshare(_ id: EntryID) {
    state.update { state in
      state.changes += 1
      if state.entries.removeValue(forKey: id) != nil { state.removals += 1 }
    }
  }

  func rename(_ id: EntryID, to path: SharePath) {
    state.update { state in
      state.changes += 1
      guard let old = state.entries[id]?.path else { return }
      state.renames.append(String(decoding: path.bytes, as: UTF8.self))
      for (other, entry) in state.entries where entry.path == path && other != id {
        state.entries[other] = nil
      }
      for (other, entry) in state.entries where entry.path == old || entry.path.isBelow(old) {
        state.entries[other]!.path = entry.path.moved(from: old, to: path) ?? entry.path
      }
    }
  }

  func presence(of member: PublicID) -> Presence { .online }
  func isAcked(_ id: EntryID) -> Bool { state.withLock { $0.entries[id] != nil } }
  func name(of member: PublicID) -> String { "" }
  func drain() {}
  func sharedAll() {}
  func request(_ request: ChunkRequest, by way: ChunkWay) {}
  func upload(_ frame: [UInt8], by way: ChunkWay) {}
  func uploadFailed(_ failure: ChunkFailure, by way: ChunkWay) {}
}

/// The same seed draws the same numbers.
struct Random {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next(_ bound: UInt64) -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return (state >> 11) % bound
  }
}
