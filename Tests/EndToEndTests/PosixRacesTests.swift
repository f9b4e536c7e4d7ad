import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct PosixRaces {
    /// S15, S45: several programs rename, replace, remove, read and change the same names. Nobody
    /// gets bytes of two files, or an error that a plain folder does not have; in the end all see
    /// what lies in the own folder.
    @Test func namesThatMeetEndAlike() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for folder in ["d", "e"] { try Files.makeFolder(host.path(folder)) }
        let seed = SecureRandom.uint64() % 1_000_000
        let faults = Locked<[String]>([])
        let workers = try (0..<4).map { index in
          let mount = host.mount
          return try Thread.start(name: "worker") {
            var hand = Hand(mount, index, seed: seed + UInt64(index))
            for _ in 0..<500 {
              if let fault = hand.act() { faults.withLock { $0.append(fault) } }
            }
          }
        }
        for worker in workers { worker.join() }
        #expect(faults.withLock { $0 } == [], "seed \(seed)")
        try fixture.waitForEquality(host.mount, guest.mount)
        try Files.removeTree(host.own + "/.fsharefs-staging")
        try fixture.waitForEquality(host.mount, host.own)
      }
    }

    /// S45: a name that is replaced all the time can be opened all the time, and is whole.
    @Test func aReplacedNameCanAlwaysBeOpened() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let path = host.path("text")
        try Files.write(path, [UInt8](repeating: 0x30, count: 5_000))
        let isOver = Locked(false)
        let faults = Locked<[String]>([])
        let readers = try (0..<3).map { _ in
          try Thread.start(name: "reader") {
            while !isOver.withLock({ $0 }) {
              do throws(SystemError) {
                let bytes = try Files.read(path)
                if Set(bytes).count != 1 || bytes.count != 5_000 {
                  faults.withLock { $0.append("\(bytes.count) bytes of \(Set(bytes).count) kinds") }
                }
              } catch { faults.withLock { $0.append("\(error)") } }
            }
          }
        }
        for version in 1...300 {
          try Files.write(
            path + ".new", [UInt8](repeating: UInt8(version % 64) + 0x30, count: 5_000))
          try Files.rename(path + ".new", path)
        }
        isOver.withLock { $0 = true }
        for reader in readers { reader.join() }
        #expect(faults.withLock { $0 } == [])
      }
    }
  }
}

/// One of several programs that use the same few names.
private struct Hand {
  private let mount: String
  private let index: Int
  private var generator: Generator
  private static let names = ["a", "b", "c", "d/x", "d/y", "e/x"]
  /// What a name may be by the time that it is used.
  private static let allowed: Set<Int32> = [ENOENT, EEXIST, ENOTEMPTY]

  init(_ mount: String, _ index: Int, seed: UInt64) {
    self.mount = mount
    self.index = index
    generator = Generator(seed: seed)
  }

  /// Does something. Returns: what should not have happened.
  mutating func act() -> String? {
    let (one, other) = (name(), name())
    let action = generator.next() % 8
    do throws(SystemError) {
      switch action {
      case 0: try replace(one)
      case 1: try Files.rename(one, other)
      case 2: try Files.unlink(one)
      case 3, 4: return try read(one)
      case 5: try Files.chmod(one, 0o600 | UInt32(generator.next() % 64))
      case 6: return try change(one)
      default:
        try Files.rename("\(mount)/d", "\(mount)/d\(index)")
        try Files.rename("\(mount)/d\(index)", "\(mount)/d")
      }
    } catch {
      if !Self.allowed.contains(error.code) { return "\(action): \(error)" }
    }
    return nil
  }

  private mutating func name() -> String {
    mount + "/" + Self.names[Int(generator.next() % UInt64(Self.names.count))]
  }

  private mutating func replace(_ path: String) throws(SystemError) {
    let new = "\(mount)/new \(index)"
    let file = OwnedDescriptor(try Files.open(new, O_CREAT | O_WRONLY | O_TRUNC))
    let tag = UInt8(truncatingIfNeeded: generator.next())
    try File.writeAll([UInt8](repeating: tag, count: 4_000), to: file.raw, new)
    if generator.next() % 4 == 0 { _ = fsync(file.raw) }
    try Files.rename(new, path)
  }

  private func read(_ path: String) throws(SystemError) -> String? {
    let file = OwnedDescriptor(try Files.open(path, O_RDONLY))
    var first = [UInt8](repeating: 0, count: 5_000)
    var second = first
    let count = pread(file.raw, &first, first.count, 0)
    let again = pread(file.raw, &second, second.count, 0)
    let isWhole = count == 4_000 && Set(first[..<4_000]).count == 1
    return isWhole && count == again && first == second
      ? nil : "read \(path): \(count) and \(again) bytes, equal: \(first == second)"
  }

  private func change(_ path: String) throws(SystemError) -> String? {
    let file = OwnedDescriptor(try Files.open(path, O_RDWR))
    let times = [timespec(tv_sec: 1, tv_nsec: 2), timespec(tv_sec: 3, tv_nsec: 4)]
    let results = [
      fchmod(file.raw, 0o640), futimens(file.raw, times), fsetxattr(file.raw, "user.x", "1", 1, 0),
      Int32(fgetxattr(file.raw, "user.x", nil, 0)) - 1,
    ]
    return results == [0, 0, 0, 0] ? nil : "changes of \(path): \(results), errno \(errno)"
  }
}
