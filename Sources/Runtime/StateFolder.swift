import Glibc
import Protocol
import Sealing
import System
import Transport

/// What a member keeps between its runs. Locked for as long as this object lives.
final class StateFolder: Sendable {
  let path: String
  private let lock: OwnedDescriptor

  /// Makes (0700) and locks the folder. Throws: an ending with code 73.
  init(path: String) throws(Ending) {
    do throws(SystemError) {
      try File.makeDirectories(path, mode: 0o700)
      lock = try Self.lock(path + "/lock")
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the state folder \(path) is in use by another fsharefs: give this one a --state of its own"
          : "state folder \(path): \(error)")
    }
    self.path = path
  }

  /// The private id: made at the first start, kept 0600. Throws: an ending with code 73.
  func identity() throws(Ending) -> DeviceIdentity {
    let file = path + "/key"
    do throws(SystemError) {
      let bytes = try File.readAll(file, limit: 4_096)
      guard let identity = DeviceIdentity(serialized: bytes) else {
        throw SystemError(code: EINVAL, call: "read the private id in \(file)")
      }
      return identity
    } catch {
      guard error.code == ENOENT else { throw Ending(.folder, "\(error)") }
    }
    let identity = DeviceIdentity()
    do throws(SystemError) {
      try File.writeAtomically(file, identity.serialized, mode: 0o600)
    } catch { throw Ending(.folder, "\(error)") }
    return identity
  }

  /// This device's name: given, kept, or the machine's.
  func deviceName(given: DeviceName?) -> DeviceName {
    if let given {
      keep(given)
      return given
    }
    if let name = text("name").flatMap({ DeviceName($0) }) { return name }
    var buffer = [CChar](repeating: 0, count: Limits.deviceName + 1)
    gethostname(&buffer, Limits.deviceName)
    let host = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return DeviceName(host) ?? DeviceName("unnamed")!
  }

  /// Keeps a name for the next start.
  func keep(_ name: DeviceName) {
    try? File.writeAtomically(path + "/name", Array(name.text.utf8), mode: 0o600)
  }

  /// The hub of the last run.
  var lastHub: HubAddress? { text("hub-address").flatMap { try? HubAddress(parsing: $0) } }

  /// Keeps the hub for the next start.
  func keep(_ hub: HubAddress) {
    try? File.writeAtomically(path + "/hub-address", Array(hub.text.utf8), mode: 0o600)
  }

  private func text(_ name: String) -> String? {
    guard let bytes = try? File.readAll(path + "/" + name, limit: 4_096) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Locked by flock(2): freed by the kernel when the process ends, however it ends.
  static func lock(_ path: String) throws(SystemError) -> OwnedDescriptor { try File.lock(path) }
}
