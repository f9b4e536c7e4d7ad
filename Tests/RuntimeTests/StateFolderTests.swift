import Glibc
import Protocol
import Runtime
import Sealing
import System
import Testing
import Transport

struct StateFolderTests {
  private let place: TemporaryFolder
  private var path: String { place.path + "/state" }

  init() throws { place = try TemporaryFolder() }

  @Test func `a fresh folder and its files are the user's alone`() throws {
    let state = try openState(path)
    let key = try state.identity().key
    try state.keep(
      KnownGroup(address: HubAddress(host: "h", port: 1, secure: true), hub: nil, master: nil))
    #expect(try Stat(path: path).permissions == 0o700)
    for name in ["key", "group", "lock"] {
      #expect(try Stat(path: "\(path)/\(name)").permissions == 0o600)
    }
    #expect(try state.identity().key == key)
  }

  @Test(arguments: [0o750, 0o701, 0o770, 0o707, 0o755] as [mode_t])
  func `a folder that others may enter is refused, with what to do`(mode: mode_t) throws {
    try File.makeDirectories(path, mode: 0o700)
    _ = chmod(path, mode)
    let ending = #expect(throws: Ending.self) { try openState(path) }
    #expect(ending?.code == .folder)
    #expect(ending?.text.hasSuffix("chmod 700 \(path)") == true)
    _ = chmod(path, 0o700)
    _ = try openState(path)
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o666] as [mode_t])
  func `a key that others may read or write is refused, with what to do`(mode: mode_t) throws {
    let state = try openState(path)
    let key = try state.identity().key
    _ = chmod(path + "/key", mode)
    let ending = #expect(throws: Ending.self) { try state.identity() }
    #expect(ending?.code == .folder)
    #expect(ending?.text.hasSuffix("chmod 600 \(path)/key") == true)
    _ = chmod(path + "/key", 0o600)
    #expect(try state.identity().key == key)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `what belongs to somebody else is refused`() throws {
    let state = try openState(path)
    _ = try state.identity()
    _ = chown(path + "/key", 12_345, 12_345)
    #expect(throws: Ending.self) { try state.identity() }
    _ = chown(path, 12_345, 12_345)
    #expect(throws: Ending.self) { try StateFolder.prepare(path) }
  }

  @Test(arguments: [0, 63, 65, 4_096]) func `what is no key is refused`(count: Int) throws {
    let state = try openState(path)
    try File.writeAtomically(
      path + "/key", [UInt8](repeating: 7, count: count), mode: 0o600)
    let ending = #expect(throws: Ending.self) { try state.identity() }
    #expect(ending?.code == .folder)
  }

  @Test func `the group is remembered; a garbled one is refused by name`() throws {
    let state = try openState(path)
    #expect(try state.knownGroup() == nil)
    #expect(!StateFolder.knowsGroup(at: path))
    let group = KnownGroup(
      address: try HubAddress(host: "h", port: 1, secure: true), hub: fingerprint(1), master: nil)
    try state.keep(group)
    #expect(try state.knownGroup() == group)
    #expect(StateFolder.knowsGroup(at: path))
    for garbage in [
      [], [0xff], Array("hub h:1\npin x\n".utf8), [UInt8](repeating: 10, count: 5_000),
    ] {
      try File.writeAtomically(state.groupFile, garbage, mode: 0o600)
      let ending = #expect(throws: Ending.self) { try state.knownGroup() }
      #expect(ending?.code == .folder)
      #expect(ending?.text.contains(state.groupFile) == true)
    }
  }

  @Test func `the address that an older version kept is read until the group is kept`() throws {
    let state = try openState(path)
    let older = path + "/hub-address"
    try File.writeAtomically(older, Array("192.0.2.1:99".utf8), mode: 0o600)
    #expect(StateFolder.knowsGroup(at: path))
    let group = try #require(try state.knownGroup())
    #expect(group.address.host == "192.0.2.1" && group.address.port == 99)
    #expect(group.hub == nil && group.master == nil)
    try state.keep(group)
    #expect(access(older, F_OK) != 0)
    #expect(try state.knownGroup() == group)
  }
}

/// A folder of a test's own, removed when the test lets go of it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = "/tmp/fsharefs-runtime-" + String(SecureRandom.uint64(), radix: 16)
    try File.makeDirectories(path, mode: 0o700)
  }

  deinit {
    // The tests make one folder in it, with files only.
    for folder in [path + "/state", path] {
      for name in Self.names(in: folder) { _ = unlink("\(folder)/\(name)") }
      _ = rmdir(folder)
    }
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      // SAFETY: the name lies in the entry, ended by a zero byte, until the next readdir.
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        })
    }
    return names
  }
}
