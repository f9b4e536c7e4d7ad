import CLinux
package import Core
import Glibc
package import Logging
import Mount
package import Protocol
package import Sealing
import State
import System
import Transport

/// What a member keeps between its runs. Locked for as long as this object lives.
package final class StateFolder: Sendable {
  package let path: String
  private let lock: OwnedDescriptor

  private let log: Logger

  /// Makes the folder (0700), or checks that it is ours alone. Throws: an ending with code 73.
  package static func prepare(_ path: String) throws(Ending) {
    do throws(SystemError) { try File.makeDirectories(path, mode: 0o700) } catch {
      throw Ending(.folder, "state folder \(path): \(error)")
    }
    try Ending.rethrowing { () throws(StateFault) in try Privacy.check(folder: path) }
  }

  /// Prepares and locks the folder. `log`: hears of what is made anew; `patience`: for how long
  /// another process may go on holding it. Throws: an ending with code 73.
  package init(path: String, log: Logger, patience: Duration = .zero) throws(Ending) {
    try Self.prepare(path)
    do throws(SystemError) {
      lock = try Release.wait(atMost: patience) { () throws(SystemError) in
        try File.lock(path + "/lock")
      }
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the state folder \(path) is in use by another fsharefs: give this one a --state of its own"
          : "state folder \(path): \(error)")
    }
    self.path = path
    self.log = log
    StateFile.removeLeftovers(in: path)
  }

  /// The private id: made at the first start, kept 0600. Throws: an ending with code 73.
  package func identity() throws(Ending) -> DeviceIdentity {
    if let kept = try read(.key, SmallFile.key) { return kept }
    let identity = DeviceIdentity()
    try write(.key, identity.serialized)
    return identity
  }

  /// A number for this run, above those of all runs before; kept, so that it is so even with the
  /// clock set back. Throws: an ending with code 73.
  package func nextIncarnation() throws(Ending) -> Incarnation {
    let last = try readOrForget(.incarnation, SmallFile.incarnation) ?? 0
    // Milliseconds, so that it also grows where the file was lost; 20 random bits tell copies
    // apart.
    let time = WallClock.now
    let milliseconds = UInt64(max(0, time.tv_sec)) &* 1_000 &+ UInt64(time.tv_nsec / 1_000_000)
    let next = max(milliseconds << 20 | SecureRandom.uint64() >> 44, last == .max ? last : last + 1)
    try write(.incarnation, Array("\(next)".utf8))
    return next
  }

  /// This device's name: given, kept, or the machine's. Throws: an ending with code 73.
  package func deviceName(given: DeviceName?) throws(Ending) -> DeviceName {
    // Read in any case: a later version's is not written over.
    let kept = try readOrForget(.name, SmallFile.name)
    if let given {
      if given != kept { keep(given) }
      return given
    }
    if let kept { return kept }
    var buffer = [CChar](repeating: 0, count: Limits.deviceName + 1)
    gethostname(&buffer, Limits.deviceName)
    let host = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return DeviceName(host) ?? DeviceName("unnamed")!
  }

  /// Keeps a name for the next start.
  package func keep(_ name: DeviceName) {
    do throws(SystemError) { try StateFile.write(.name, file(.name), Array(name.text.utf8)) } catch
    {
      log.warning("the name is not kept for the next start: \(error)")
    }
  }

  /// Whether the group of an earlier run is known.
  package static func knowsGroup(at path: String) -> Bool {
    [StateKind.group.rawValue, olderGroupName].contains { access("\(path)/\($0)".cPath, F_OK) == 0 }
  }

  /// The file that says which group this is.
  package var groupFile: String { file(.group) }

  /// The group of the last run; nil at the first. Throws: an ending with code 73 where the file is
  /// readable for others, or is not what `keep` writes.
  package func knownGroup() throws(Ending) -> KnownGroup? {
    if let kept = try read(.group, GroupFile.read) {
      guard let group = KnownGroup(kept) else {
        throw Ending(StateFault.damaged(.group, groupFile, "its address cannot be used"))
      }
      return group
    }
    // Before there were pins, the address was all that was kept.
    let older = path + "/" + Self.olderGroupName
    guard let bytes = try? File.readRegular(older, limit: 4_096),
      let text = String(validating: bytes, as: UTF8.self),
      let address = try? HubAddress(parsing: text)
    else { return nil }
    return KnownGroup(address: address, hub: nil, master: nil)
  }

  /// Keeps the group for the next start. Throws: an ending with code 73; what is not remembered
  /// would be trusted blindly again.
  package func keep(_ group: KnownGroup) throws(Ending) {
    try write(.group, Array(group.text.utf8))
    _ = unlink((path + "/" + Self.olderGroupName).cPath)
  }

  /// Where it is said what of others' files is kept.
  package var keepsFile: String { file(.keeps) }

  /// What of others' files is kept. Throws: an ending with code 73.
  package func keptPaths() throws(Ending) -> ChosenPaths {
    var kept = ChosenPaths()
    for path in try read(.keeps, KeepsFile.read)?.paths ?? [] { kept.insert(path) }
    return kept
  }

  /// The list as the last run kept it.
  package var listFile: String { path + "/" + StateCheck.listName }

  /// What the disk cache is sealed under: made at first use, kept 0600. One that is lost, or
  /// damaged, empties the cache. Throws: an ending with code 73.
  package func cacheSecret() throws(Ending) -> [UInt8] {
    try secret(.cacheKey, DiskCache.secretLength)
  }

  /// What the kept list is sealed under: made at first use, kept 0600. One that is lost, or
  /// damaged, makes the list be taken anew. Throws: an ending with code 73.
  package func listSecret() throws(Ending) -> [UInt8] {
    try secret(.listKey, ListSeal.secretLength)
  }

  /// What the numbers of others' entries (`st_ino`) are made with: made at first use, kept 0600.
  /// With another one they are others. Throws: an ending with code 73.
  package func numberKey() throws(Ending) -> [UInt8] {
    try secret(.numberKey, FileNumbers.keyLength)
  }

  /// Whether it was said in an earlier run that something is shared though its mode keeps it from
  /// other users here. Throws: an ending with code 73.
  package func hasSaidPrivate() throws(Ending) -> Bool {
    try readOrForget(.notices) { path throws(StateFault) in try SmallFile.text(.notices, path) }
      != nil
  }

  /// Keeps for the next start that it was said.
  package func keepSaidPrivate() {
    do throws(SystemError) {
      try StateFile.write(.notices, file(.notices), Array("private".utf8))
    } catch {
      log.warning("what was said once may be said again: \(error)")
    }
  }

  private func secret(_ kind: StateKind, _ length: Int) throws(Ending) -> [UInt8] {
    let kept = try readOrForget(kind) { path throws(StateFault) in
      try SmallFile.secret(kind, length, path)
    }
    if let kept { return kept }
    let secret = SecureRandom.bytes(length)
    try write(kind, secret)
    return secret
  }

  private static let olderGroupName = "hub-address"

  private func file(_ kind: StateKind) -> String { path + "/" + kind.rawValue }

  private func read<Content>(
    _ kind: StateKind, _ body: (String) throws(StateFault) -> Content?
  ) throws(Ending) -> Content? {
    do throws(StateFault) { return try body(file(kind)) } catch { throw Ending(error) }
  }

  /// Reads what may be lost: where it is damaged, that is said, and it counts as missing.
  private func readOrForget<Content>(
    _ kind: StateKind, _ body: (String) throws(StateFault) -> Content?
  ) throws(Ending) -> Content? {
    do throws(StateFault) { return try body(file(kind)) } catch {
      guard error.reason == .damaged else { throw Ending(error) }
      log.warning("\(error)")
      return nil
    }
  }

  private func write(_ kind: StateKind, _ bytes: [UInt8]) throws(Ending) {
    do throws(SystemError) { try StateFile.write(kind, file(kind), bytes) } catch {
      throw Ending(StateFault(error))
    }
  }
}
