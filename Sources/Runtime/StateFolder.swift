import Glibc
import Mount
package import Protocol
package import Sealing
import System
import Transport

/// What a member keeps between its runs. Locked for as long as this object lives.
package final class StateFolder: Sendable {
  package let path: String
  private let lock: OwnedDescriptor

  /// Makes the folder (0700), or checks that it is ours alone. Throws: an ending with code 73.
  package static func prepare(_ path: String) throws(Ending) {
    do throws(SystemError) { try File.makeDirectories(path, mode: 0o700) } catch {
      throw Ending(.folder, "state folder \(path): \(error)")
    }
    try Privacy.check(folder: path)
  }

  /// Prepares and locks the folder. Throws: an ending with code 73.
  package init(path: String) throws(Ending) {
    try Self.prepare(path)
    do throws(SystemError) { lock = try File.lock(path + "/lock") } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the state folder \(path) is in use by another fsharefs: give this one a --state of its own"
          : "state folder \(path): \(error)")
    }
    self.path = path
  }

  /// The private id: made at the first start, kept 0600. Throws: an ending with code 73.
  package func identity() throws(Ending) -> DeviceIdentity {
    if let bytes = try content("key") {
      guard let identity = DeviceIdentity(serialized: bytes) else {
        throw Ending(
          .folder,
          "\(file("key")) is not a private id: put a copy of it back, or remove it to become a new client"
        )
      }
      return identity
    }
    let identity = DeviceIdentity()
    try write("key", identity.serialized)
    return identity
  }

  /// A number for this run, above those of all runs before; kept, so that it is so even with the clock set back.
  /// Throws: an ending with code 73.
  package func nextIncarnation() throws(Ending) -> Incarnation {
    let last = try text("incarnation").flatMap { Incarnation($0) } ?? 0
    // Milliseconds, so that it also grows where the file was lost; 20 random bits tell copies apart.
    let time = WallClock.now
    let milliseconds = UInt64(max(0, time.tv_sec)) &* 1_000 &+ UInt64(time.tv_nsec / 1_000_000)
    let next = max(milliseconds << 20 | SecureRandom.uint64() >> 44, last == .max ? last : last + 1)
    try write("incarnation", Array("\(next)".utf8))
    return next
  }

  /// This device's name: given, kept, or the machine's.
  package func deviceName(given: DeviceName?) throws(Ending) -> DeviceName {
    if let given {
      keep(given)
      return given
    }
    if let name = try text("name").flatMap({ DeviceName($0) }) { return name }
    var buffer = [CChar](repeating: 0, count: Limits.deviceName + 1)
    gethostname(&buffer, Limits.deviceName)
    let host = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return DeviceName(host) ?? DeviceName("unnamed")!
  }

  /// Keeps a name for the next start.
  package func keep(_ name: DeviceName) {
    try? write("name", Array(name.text.utf8))
  }

  /// Whether the group of an earlier run is known.
  package static func knowsGroup(at path: String) -> Bool {
    [groupName, olderGroupName].contains { access("\(path)/\($0)".cPath, F_OK) == 0 }
  }

  /// The file that says which group this is.
  package var groupFile: String { file(Self.groupName) }

  /// The group of the last run; nil at the first. Throws: an ending with code 73 where the file is
  /// readable for others, or is not what `keep` writes.
  package func knownGroup() throws(Ending) -> KnownGroup? {
    if let bytes = try content(Self.groupName) {
      guard let text = String(validating: bytes, as: UTF8.self), let group = KnownGroup(text: text)
      else {
        throw Ending(
          .folder,
          "\(groupFile) is garbled: put a copy of it back, or remove it and join again with an invite"
        )
      }
      return group
    }
    // Before there were pins, the address was all that was kept.
    guard let address = try text(Self.olderGroupName).flatMap({ try? HubAddress(parsing: $0) })
    else { return nil }
    return KnownGroup(address: address, hub: nil, master: nil)
  }

  /// Keeps the group for the next start. Throws: an ending with code 73; what is not remembered would be
  /// trusted blindly again.
  package func keep(_ group: KnownGroup) throws(Ending) {
    try write(Self.groupName, Array(group.text.utf8))
    _ = unlink(file(Self.olderGroupName).cPath)
  }

  /// What the disk cache is sealed under: made at first use, kept 0600. One that is lost, or garbled, empties the
  /// cache. Throws: an ending with code 73.
  package func cacheSecret() throws(Ending) -> [UInt8] {
    let length = DiskCache.secretLength
    if let bytes = try content("cache-key"), bytes.count == length { return bytes }
    let secret = SecureRandom.bytes(length)
    try write("cache-key", secret)
    return secret
  }

  private static let groupName = "group"
  private static let olderGroupName = "hub-address"

  private func file(_ name: String) -> String { path + "/" + name }

  private func text(_ name: String) throws(Ending) -> String? {
    try content(name).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// A file of this folder, which only its owner may read; nil where there is none.
  private func content(_ name: String) throws(Ending) -> [UInt8]? {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try File.readAll(file(name), limit: 4_096) } catch {
      if error.code == ENOENT { return nil }
      throw Ending(.folder, "\(error)")
    }
    // Nobody else can change the folder, so what is checked is what was read.
    try Privacy.check(file: file(name))
    return bytes
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws(Ending) {
    do throws(SystemError) { try File.writeAtomically(file(name), bytes, mode: 0o600) } catch {
      throw Ending(.folder, "\(error)")
    }
  }
}
