import CLinux
import Core
import Glibc
import Logging
import Mount
import Protocol
import System
import Testing

/// The disk cache alone: what is kept, what goes, what damage does.
struct DiskCacheTests {
  private static let secret = [UInt8](repeating: 7, count: DiskCache.secretLength)
  /// Bytes that 64 whole leaves take, with their head.
  private static let segment = 64 * 135_168 + 4_096

  /// A folder of its own for each test, gone afterwards.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let base = Environment.get("TMPDIR") ?? "/tmp"
    let folder = "\(base)/fsharefs-test-\(String(SecureRandom.uint64(), radix: 16))"
    try File.makeDirectories(folder, mode: 0o700)
    defer {
      for name in (try? names(folder)) ?? [] { _ = unlink("\(folder)/\(name)") }
      _ = unlink(folder + "/lock")
      _ = rmdir(folder)
    }
    try body(folder)
  }

  private func open(
    _ folder: String, limit: Int = 1 << 30, secret: [UInt8] = secret
  ) throws -> DiskCache {
    // A child that another test has just begun holds, for a moment, all that is open here.
    try Release.wait(atMost: .seconds(5)) { () throws(SystemError) in
      try DiskCache(path: folder, limit: limit, secret: secret, log: Logger(label: "test"))
    }
  }

  /// The files of the cache, without its lock.
  private func names(_ folder: String) throws -> [String] {
    guard let stream = opendir(folder) else { throw SystemError("opendir") }
    defer { closedir(stream) }
    var names: [String] = []
    while let item = readdir(stream) {
      // SAFETY: `d_name` is a terminated string inside `item`, which lives until the next readdir.
      let name = withUnsafePointer(to: &item.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.contains("-") { names.append(name) }
    }
    return names.sorted()
  }

  private func key(
    _ index: UInt64, version: UInt64 = 1, owner: UInt32 = 1, scale: UInt8 = Limits.leafScale
  ) -> LeafKey {
    LeafKey(
      owner: PublicID(owner), entry: RandomID(high: 1, low: version),
      version: RandomID(high: 2, low: version), scale: scale, generation: 3, index: index)
  }

  /// What the leaf of a key holds here: no two are alike.
  private func bytes(_ key: LeafKey, count: Int = Limits.leaf) -> [UInt8] {
    let mark = UInt64(key.owner.value) << 48 | key.version.low << 24 | key.index
    return (0..<count).map { UInt8(truncatingIfNeeded: (mark >> UInt64($0 & 56)) &+ UInt64($0)) }
  }

  private func keep(_ cache: DiskCache, _ keys: [LeafKey], count: Int = Limits.leaf) {
    for key in keys { cache.keep(key, bytes(key, count: count)) }
  }

  /// What the cache has of some leaves, once it has said so of all.
  private func recall(_ cache: DiskCache, _ keys: [LeafKey]) -> [LeafKey: [UInt8]] {
    let answers = Monitor<(found: [LeafKey: [UInt8]], absent: Int)>(([:], 0))
    cache.recall(
      keys,
      found: { key, leaf in answers.update { $0.found[key] = leaf } },
      absent: { keys in answers.update { $0.absent += keys.count } })
    return answers.wait(timeout: .seconds(20)) {
      $0.found.count + $0.absent == keys.count ? $0.found : nil
    } ?? [:]
  }

  /// Ends a cache, whose queue is empty then, and opens it again.
  private func restarted(_ cache: DiskCache, _ folder: String, limit: Int = 1 << 30)
    throws -> DiskCache
  {
    cache.stop()
    return try open(folder, limit: limit)
  }

  @Test func `what was kept is there after a restart, whole leaves, ends and pieces of them`()
    throws
  {
    try withFolder { folder in
      var cache = try open(folder)
      let keys = (0..<70 as Range<UInt64>).map { key($0) }
      keep(cache, keys)
      let end = key(70)
      keep(cache, [end], count: 1_000)
      // Pieces are not kept.
      cache.keep(key(0, version: 2, scale: 12), bytes(key(0)))
      cache = try restarted(cache, folder)
      #expect(try names(folder).count == 2)
      let found = recall(cache, keys + [end, key(71), key(0, version: 2), key(0, owner: 2)])
      #expect(found.count == 71)
      for key in keys { #expect(found[key] == bytes(key)) }
      #expect(found[end] == bytes(end, count: 1_000))
      // A piece of 4 KiB: the last of leaf 1; one across the end of the last leaf; one behind it.
      let pieces = [key(63, scale: 12), key(70 * 32, scale: 12), key(70 * 32 + 1, scale: 12)]
      let parts = recall(cache, pieces)
      #expect(parts[pieces[0]] == Array(bytes(key(1)).suffix(4_096)))
      #expect(parts[pieces[1]] == bytes(end, count: 1_000))
      #expect(parts[pieces[2]] == nil)
      cache.stop()
    }
  }

  @Test func `nothing of a leaf can be read in the folder, and it is one's own`() throws {
    try withFolder { folder in
      let cache = try open(folder)
      keep(cache, [key(0)])
      cache.stop()
      let file = "\(folder)/\(try #require(try names(folder).first))"
      let content = try File.readAll(file, limit: 1 << 20)
      let start = bytes(key(0))[..<64]
      #expect(!content.indices.dropLast(64).contains { content[$0..<($0 + 64)] == start })
      #expect(try Stat(path: file).permissions == 0o600)
      let other = try open(folder, secret: [UInt8](repeating: 8, count: DiskCache.secretLength))
      #expect(recall(other, [key(0)]).isEmpty)
      other.stop()
    }
  }

  @Test func `the size stays within the limit, and what was used least recently goes first`() throws
  {
    try withFolder { folder in
      let limit = 3 * Self.segment + 1_000_000
      var cache = try open(folder, limit: limit)
      func whole(_ version: UInt64) -> [LeafKey] { (0..<64).map { key($0, version: version) } }
      for version in 1...3 as ClosedRange<UInt64> {
        keep(cache, whole(version))
        cache = try restarted(cache, folder, limit: limit)
      }
      #expect(cache.bytes <= limit)
      // Of three the first is used, so that the second goes.
      #expect(recall(cache, [key(5, version: 1)]).count == 1)
      cache = try restarted(cache, folder, limit: limit)
      keep(cache, whole(4))
      cache = try restarted(cache, folder, limit: limit)
      let found = recall(cache, (1...4).map { key(7, version: $0) })
      #expect(Set(found.keys.map(\.version.low)) == [1, 3, 4])
      let onDisk = try names(folder).reduce(0) {
        $0 + Int(try Stat(path: "\(folder)/\($1)").blocks) * 512
      }
      #expect(onDisk <= limit && cache.bytes <= limit)
      // A smaller limit is kept to from the start.
      cache = try restarted(cache, folder, limit: Self.segment + 1_000_000)
      keep(cache, [key(0, version: 9)])
      cache.stop()
      #expect(cache.bytes <= Self.segment + 1_000_000)
      #expect(try names(folder).count == 2)
    }
  }

  @Test func `damage is absence, of that leaf alone, and is mended by what comes`() throws {
    try withFolder { folder in
      var cache = try open(folder)
      keep(cache, (0..<4).map { key($0) })
      cache.stop()
      let file = "\(folder)/\(try #require(try names(folder).first))"
      var content = try File.readAll(file, limit: 1 << 20)
      content[4_096 + 135_168 + 5_000] ^= 1
      // A length that lies.
      content[8] ^= 1
      try File.writeAtomically(file, content, mode: 0o600)
      cache = try open(folder)
      #expect(Set(recall(cache, (0..<4).map { key($0) }).keys.map(\.index)) == [0, 3])
      keep(cache, [key(1), key(2)])
      cache = try restarted(cache, folder)
      #expect(recall(cache, (0..<4).map { key($0) }).count == 4)
      cache.stop()
      try File.writeAtomically(file, Array(content.prefix(5_000)), mode: 0o600)
      cache = try open(folder)
      #expect(recall(cache, (0..<4).map { key($0) }).isEmpty)
      cache.stop()
      try File.writeAtomically(file, [], mode: 0o600)
      cache = try open(folder)
      #expect(recall(cache, [key(0)]).isEmpty)
      cache.stop()
    }
  }

  @Test func `what is an owner's is forgotten, or everything`() throws {
    try withFolder { folder in
      var cache = try open(folder)
      keep(cache, [key(0), key(0, owner: 2), key(100, owner: 2)])
      cache.forget(PublicID(2))
      cache = try restarted(cache, folder)
      #expect(try names(folder).count == 1)
      #expect(recall(cache, [key(0), key(0, owner: 2), key(100, owner: 2)]).count == 1)
      keep(cache, [key(0, owner: 3)])
      cache.forget(nil)
      cache.stop()
      #expect(try names(folder).isEmpty)
      #expect(cache.bytes == 0)
    }
  }

  @Test func `a second process is refused`() throws {
    try withFolder { folder in
      let cache = try open(folder)
      #expect(throws: SystemError(code: EWOULDBLOCK, call: "lock \(folder)/lock")) {
        _ = try open(folder)
      }
      cache.stop()
      withExtendedLifetime(cache) {}
    }
  }

  @Test func `files that are not the cache's are left alone`() throws {
    try withFolder { folder in
      let id = String(repeating: "0", count: 32)
      let strange = ["a-b", "1-\(id)-\(id)-", "01-\(id)-\(id)-0", "1-\(id)-\(id)-0-0"]
      for name in strange { try File.writeAtomically("\(folder)/\(name)", [1], mode: 0o600) }
      let cache = try open(folder)
      cache.forget(nil)
      cache.stop()
      #expect(try names(folder) == strange.sorted())
    }
  }

  @Test func `a folder that is gone, or emptied, is nobody's error`() throws {
    try withFolder { folder in
      let cache = try open(folder)
      keep(cache, [key(0)])
      #expect(eventually { cache.bytes > 0 })
      for name in try names(folder) { _ = unlink("\(folder)/\(name)") }
      #expect(recall(cache, [key(0)]).isEmpty)
      #expect(cache.bytes == 0)
      _ = unlink(folder + "/lock")
      #expect(rmdir(folder) == 0)
      keep(cache, [key(1), key(2)])
      cache.stop()
      #expect(recall(cache, [key(1)]).isEmpty)
      #expect(cache.bytes == 0)
    }
  }

  private func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now + .seconds(20)
    while !condition() {
      if MonotonicClock.now > deadline { return false }
      _ = poll(nil, 0, 5)
    }
    return true
  }
}
