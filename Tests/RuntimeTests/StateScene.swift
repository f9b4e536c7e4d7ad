import Core
import Glibc
import Logging
import Protocol
import Runtime
import Sealing
import State
import System
import Testing
import Transport

/// A log that nobody reads.
var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

/// A state folder, as a start opens it. Whatever is started anywhere in this process has a copy of
/// all descriptors until it has become the program that it is to be: a lock that was just given
/// back is waited for.
func openState(_ path: String) throws(Ending) -> StateFolder {
  try StateFolder(path: path, log: quiet, patience: .seconds(20))
}

/// One file of a state folder, as its program writes it, and how that reads it.
struct StateScene: Sendable, CustomTestStringConvertible {
  let kind: StateKind
  /// Writes the file in a folder, with all that there is to say.
  let write: @Sendable (String) throws -> Void
  /// Opens the file as a start does. Returns: what it says, as text. Throws what stops the start.
  let read: @Sendable (String) throws -> String

  var testDescription: String { kind.rawValue }
  func path(_ folder: String) -> String { "\(folder)/\(kind.rawValue)" }

  /// Those that stop a start where they are damaged.
  static let precious = [key, group, shares, vault, restored, registry]
  /// Those that are made anew.
  static let cheap = [name, incarnation, cacheKey, listKey, numberKey, notices]

  static let key = StateScene(kind: .key) { folder in
    _ = try openState(folder).identity()
  } read: { folder in
    "\(Fingerprint(of: try openState(folder).identity().key))"
  }

  static let group = StateScene(kind: .group) { folder in
    try openState(folder).keep(
      KnownGroup(
        address: HubAddress(host: "192.0.2.1", port: 7420, secure: true), hub: fingerprint(1),
        master: fingerprint(2), generation: 7))
  } read: { folder in
    try openState(folder).knownGroup()?.text ?? "none"
  }

  static let shares = StateScene(kind: .shares) { folder in
    let names = try ["photos", "music/old"].map { try SharePath(Array($0.utf8)) }
    try SharesFile(rows: names.map { SharesFile.Row(name: $0, path: Array("/srv/\($0)".utf8)) })
      .write(folder + "/shares")
  } read: { folder in
    let rows = try SharesFile.read(folder + "/shares")?.rows
    return rows.map { "\($0.map { [$0.name.bytes, $0.path] })" } ?? "none"
  }

  static let vault = StateScene(kind: .vault) { folder in
    let vault = try KeyVault(path: folder + "/vault")
    for number in 1...5 as ClosedRange<UInt8> { try vault.keep(decision(number, .approved)) }
    _ = try vault.key(2)
    try vault.keep(decision(3, .disapproved))
  } read: { folder in
    let vault = try KeyVault(path: folder + "/vault")
    let summary = vault.summary
    let secret = try vault.key(summary.generation).secretBytes
    return "\(summary.generation) \(secret) \(summary.decisions)"
  }

  static let restored = StateScene(kind: .restored) { folder in
    let keys = String(repeating: "0a", count: 2 * DeviceKey.partLength)
    let text = "generation 7\ndoubt \(keys) here\n"
    try StateFile.write(.restored, folder + "/restored", Array(text.utf8))
  } read: { folder in
    let restoration = try RestorationFile(path: folder + "/restored").load()
    return "\(restoration.generation) \(restoration.doubts)"
  }

  static let registry = StateScene(kind: .registry) { folder in
    let path = HubRegistry.path(in: folder)
    let registry = try HubRegistry(path: path, continuing: HubRegistry.Content())
    try registry.note(master: deviceKey(9))
    for number in 1...4 as ClosedRange<UInt8> { try registry.note(client(number)) }
    try registry.forget(PublicID(2))
  } read: { folder in
    let content = try HubRegistry.read(HubRegistry.path(in: folder))
    return content.map { "\($0)" } ?? "none"
  }

  static let name = StateScene(kind: .name) { folder in
    try openState(folder).keep(deviceName("anna"))
  } read: { folder in
    try openState(folder).deviceName(given: nil).text
  }

  static let incarnation = StateScene(kind: .incarnation) { folder in
    _ = try openState(folder).nextIncarnation()
  } read: { folder in
    "\(try openState(folder).nextIncarnation())"
  }

  static let cacheKey = StateScene(kind: .cacheKey) { folder in
    _ = try openState(folder).cacheSecret()
  } read: { folder in
    "\(try openState(folder).cacheSecret())"
  }

  static let listKey = StateScene(kind: .listKey) { folder in
    _ = try openState(folder).listSecret()
  } read: { folder in
    "\(try openState(folder).listSecret())"
  }

  static let numberKey = StateScene(kind: .numberKey) { folder in
    _ = try openState(folder).numberKey()
  } read: { folder in
    "\(try openState(folder).numberKey())"
  }

  static let notices = StateScene(kind: .notices) { folder in
    try StateFolder(path: folder, log: quiet).keepSaidPrivate()
  } read: { folder in
    "\(try StateFolder(path: folder, log: quiet).hasSaidPrivate())"
  }
}

func deviceName(_ text: String) -> DeviceName {
  guard let name = DeviceName(text) else { preconditionFailure("\(text) is no device name") }
  return name
}

func deviceKey(_ number: UInt8) -> DeviceKey {
  let half = [UInt8](repeating: number, count: DeviceKey.partLength)
  return DeviceKey(signing: half, agreement: half)
}

func decision(_ number: UInt8, _ admission: Admission) -> MemberRecord {
  MemberRecord(
    publicID: PublicID(UInt32(number)), name: deviceName("device \(number)"),
    admission: admission, key: deviceKey(number))
}

func client(_ number: UInt8) -> HubClient {
  HubClient(
    publicID: PublicID(UInt32(number)), key: deviceKey(number),
    name: deviceName("device \(number)"), system: "test", address: "192.0.2.\(number)",
    firstSeen: 1_000_000, admission: .approved,
    groupKey: GroupKeyMessage(
      publicID: PublicID(UInt32(number)), generation: 3, wrapped: [1, 2, number]))
}

/// The same draws for the same seed (SplitMix64, Steele et al. 2014).
struct SeededDraws: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// A file's bytes; nil where it is not there.
func bytes(_ path: String) -> [UInt8]? { try? File.readAll(path, limit: 1 << 24) }

/// Puts bytes into a file's place.
func put(_ bytes: [UInt8], _ path: String) throws {
  try File.writeAtomically(path, bytes, mode: 0o600)
}

/// Why reading was refused; nil where it was not.
func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

/// The first line of a file of a later format, whose checksum holds, and what follows it.
func newer(_ kind: StateKind, _ bytes: [UInt8], isLog: Bool = false) -> [UInt8] {
  let body = Array(bytes.drop { $0 != 10 }.dropFirst())
  let head = Array("fsharefs \(kind.rawValue) 3".utf8)
  let sum = Checksum.of(head, isLog ? [] : body)
  let text = sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  return head + Array(" \(text)\n".utf8) + body
}

extension MasterSigner {
  /// Of a master whose word nobody looks at.
  static let none = MasterSigner(sign: { _ in [] }, holds: { _, _ in false })
}
