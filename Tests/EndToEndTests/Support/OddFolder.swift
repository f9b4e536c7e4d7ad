import CLinux
import Glibc
import System

/// Fills a folder with everything that a file system can hold, and changes it, from a seed; says
/// what of it can be shared. Many changes fail, as they may.
///
/// Its symlinks lead anywhere, and it runs as root: no change ever follows one, at the end of a path
/// or on the way there.
final class OddFolder {
  /// What something is to the share.
  enum Expected {
    case file(size: Int64, modified: timespec, digest: UInt64?)
    case folder
    case link([UInt8])
    /// Not shared, for a reason that contains this.
    case unshared(String)
  }

  let path: String
  private var state: UInt64
  private let fixture: Fixture
  /// Where something is mounted.
  private var mounts: Set<[UInt8]> = []
  /// Numbers of devices (major 0) behind which there never is one.
  private static let noDevices = 256
  /// Files up to this are compared by what is in them.
  private static let digested = 1 << 20

  init(_ path: String, seed: UInt64, _ fixture: Fixture) {
    self.path = path
    self.fixture = fixture
    state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
  }

  /// One change.
  func change() {
    let place = newPlace()
    let text = Tree.c(place)
    switch next(24) {
    case 0...4: write(text, place)
    case 5, 6: mkdir(text, mode_t(next(0o10000)))
    case 7, 8: symlink(Tree.c(target()), text)
    case 9: mkfifo(text, mode_t(next(0o1000)))
    case 10: mknod(text, S_IFSOCK | mode_t(next(0o1000)), 0)
    case 11: mknod(text, (next(2) == 0 ? S_IFCHR : S_IFBLK) | 0o600, dev_t(next(Self.noDevices)))
    case 12: link(Tree.c(somewhere()), text)
    case 13: mountSomething(on: somewhere())
    case 14: setMode(somewhere(), mode_t(next(0o10000)))
    case 15: lchown(Tree.c(somewhere()), uid_t(next(70_000)), gid_t(next(70_000)))
    case 16: touch(somewhere())
    case 17: setImmutable(somewhere(), true)
    case 18, 19: Glibc.rename(Tree.c(somewhere()), text)
    case 20: try? Tree.remove(somewhere())
    case 21: unmountSomething()
    case 22: resize(somewhere(), off_t(next(4)) << 38 | off_t(next(5_000)))
    default: exchange(somewhere(), somewhere())
    }
  }

  /// Takes away what would outlive the test.
  func end() {
    for place in mounts.sorted(by: { $0.count > $1.count }) {
      umount2(Tree.c(place), Int32(MNT_DETACH))
    }
    _ = try? fixture.run("chattr", "-R", "-f", "-i", path)
  }

  /// All that is there, by path, and what it is to the share.
  func expected() throws(SystemError) -> [[UInt8]: Expected] {
    var all: [[UInt8]: Expected] = [:]
    try add(Array(path.utf8), [], &all)
    return all
  }

  private func add(
    _ folder: [UInt8], _ prefix: [UInt8], _ all: inout [[UInt8]: Expected]
  ) throws(SystemError) {
    for name in try Tree.names(in: folder) {
      if prefix.isEmpty, name == Array(".fsharefs-staging".utf8) { continue }
      let place = folder + [0x2f] + name
      let key = prefix.isEmpty ? name : prefix + [0x2f] + name
      let stat = try Stat(at: AT_FDCWD, name: place)
      if stat.isPipe {
        all[key] = .unshared("pipe")
      } else if stat.isSocket {
        all[key] = .unshared("socket")
      } else if isMount(place) {
        all[key] = .unshared("mounted")
      } else if stat.isDirectory {
        all[key] = .folder
        try add(place, key, &all)
      } else if stat.isSymlink {
        let target = readLink(place)
        let depth = key.count { $0 == 0x2f }
        all[key] = Self.staysInside(target, depth) ? .link(target) : .unshared("leads out")
      } else if stat.isRegular {
        let digest = stat.size <= Self.digested ? try Tree.digest(place) : nil
        all[key] = .file(size: stat.size, modified: stat.mtime, digest: digest)
      } else {
        all[key] = .unshared("device")
      }
    }
  }

  private func isMount(_ place: [UInt8]) -> Bool {
    clinux_is_mount_root(AT_FDCWD, Tree.c(place)) == 1
  }

  private func readLink(_ place: [UInt8]) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 4_096)
    let count = readlink(Tree.c(place), &buffer, buffer.count)
    return buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }
  }

  private static func staysInside(_ target: [UInt8], _ depth: Int) -> Bool {
    if target.first == 0x2f { return false }
    let parts = target.split(separator: 0x2f).filter { $0 != [0x2e] }
    let climbs = parts.prefix { $0 == [0x2e, 0x2e] }.count
    return climbs <= depth && !parts.dropFirst(climbs).contains([0x2e, 0x2e])
  }

  // MARK: Changes

  private func write(_ text: [CChar], _ place: [UInt8]) {
    let file = Glibc.open(text, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
    if file < 0 { return }
    let bytes = Samples.bytes(next(next(4) == 0 ? 300_000 : 3_000), seed: UInt64(next(1 << 30)))
    _ = Glibc.write(file, bytes, bytes.count)
    close(file)
    if next(3) == 0 { touch(place) }
  }

  private func setMode(_ place: [UInt8], _ mode: mode_t) {
    if isFolderOrFile(place) { chmod(Tree.c(place), mode) }
  }

  private func resize(_ place: [UInt8], _ size: off_t) {
    if isFolderOrFile(place) { truncate(Tree.c(place), size) }
  }

  /// Whether it is a directory or a regular file: nothing that leads elsewhere.
  private func isFolderOrFile(_ place: [UInt8]) -> Bool {
    (try? Stat(at: AT_FDCWD, name: place)).map { $0.isDirectory || $0.isRegular } ?? false
  }

  private func isFolder(_ place: [UInt8]) -> Bool {
    (try? Stat(at: AT_FDCWD, name: place))?.isDirectory ?? false
  }

  /// Dates that a file may have.
  private func touch(_ place: [UInt8]) {
    let seconds = [
      -9_000_000_000, -1, 0, 1, 1 << 31, 10_000_000_000, 15_000_000_000, next(1 << 31),
    ][next(8)]
    let time = timespec(tv_sec: seconds, tv_nsec: next(1_000_000_000))
    utimensat(AT_FDCWD, Tree.c(place), [time, time], AT_SYMLINK_NOFOLLOW)
  }

  private func mountSomething(on place: [UInt8]) {
    guard mounts.count < 6, let stat = try? Stat(at: AT_FDCWD, name: place),
      stat.isDirectory || stat.isRegular
    else { return }
    let from = somewhere()
    let bind: UInt = 4_096  // MS_BIND
    guard isFolderOrFile(from) else { return }
    let isMade =
      stat.isDirectory && next(2) == 0
      ? mount("tmpfs", Tree.c(place), "tmpfs", 0, nil)
      : mount(Tree.c(from), Tree.c(place), nil, bind, nil)
    if isMade == 0 { mounts.insert(place) }
  }

  private func unmountSomething() {
    let all = mounts.sorted { $0.lexicographicallyPrecedes($1) }
    if all.isEmpty { return }
    let place = all[next(all.count)]
    if umount2(Tree.c(place), Int32(MNT_DETACH)) == 0 { mounts.remove(place) }
  }

  private func setImmutable(_ place: [UInt8], _ wanted: Bool) {
    guard let text = String(validating: place, as: UTF8.self),
      isFolderOrFile(place)
    else { return }
    _ = try? fixture.run("chattr", "+i", text)
  }

  private func exchange(_ one: [UInt8], _ other: [UInt8]) {
    _ = clinux_renameat2(
      AT_FDCWD, Tree.c(one), AT_FDCWD, Tree.c(other), clinux_rename_exchange)
  }

  // MARK: Names

  private func target() -> [UInt8] {
    let targets = [
      "a", "../a", "a/b", "../../x", "/etc", "a/../b", "./.", "nothing/at/all", "..", "a//b",
    ]
    return next(10) == 0 ? name() : Array(targets[next(targets.count)].utf8)
  }

  /// A name in a directory that is there.
  private func newPlace() -> [UInt8] {
    var place = Array(path.utf8)
    for _ in 0...next(3) {
      place += [0x2f] + name()
      if !isFolder(place) { break }
    }
    return place
  }

  /// Something that is there, below the folder.
  private func somewhere() -> [UInt8] {
    var place = Array(path.utf8)
    for depth in 0..<4 {
      guard isFolder(place),
        let names = try? Tree.names(in: place).filter({ $0 != Array(".fsharefs-staging".utf8) }),
        !names.isEmpty
      else { break }
      place += [0x2f] + names[next(names.count)]
      if depth > 0, next(2) == 0 { break }
    }
    return place == Array(path.utf8) ? newPlace() : place
  }

  private func name() -> [UInt8] {
    switch next(14) {
    case 0: [UInt8](repeating: UInt8(ascii: "n"), count: 255)
    case 1: Array(String(repeating: "漢", count: 85).utf8)
    case 2: [0xff, 0xfe, UInt8(1 + next(40))]
    case 3: Array("-rf \n\t*".utf8)
    case 4: Array(".fsharefs-staging".utf8) + (next(2) == 0 ? [0x78] : [])
    case 5: Array("a (conflict, guest)".utf8)
    default: [UInt8(ascii: "a") + UInt8(next(8))]
    }
  }

  private func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int((state >> 11) % UInt64(bound))
  }
}
