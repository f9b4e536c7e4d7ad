import FoundationEssentials
import Glibc
package import System

/// The folders in which running programs leave their records, one file for each state folder.
///
/// A record says where to ask, never that anybody is there: that only the control socket says,
/// which dies with its process. So a record that a killed process left does no harm.
package enum RunningRecords {
  /// Bytes of a record at most: two paths.
  private static let limit = 32 * 1024
  /// Files of a folder that are looked at; somebody else's may be as full as he likes. More than
  /// anybody runs, or one that runs might be left out, and another be taken for the only one.
  private static let filesLimit = 65_536
  private static let suffix = ".running"

  /// Names one folder that takes the place of all others: for services, containers and tests.
  private static var given: String? { Environment.get("FSHAREFS_RUNNING") }
  /// Folders of root's own, which are gone after a restart of the machine.
  private static let ofMachine = ["/run/fsharefs", "/run/fshare-hub"]

  /// Where programs of this user note that they run. Not in `$XDG_RUNTIME_DIR`, which goes when
  /// its user logs out, while a mount in the background stays.
  package static var ownFolder: String {
    if let given { return given }
    return geteuid() == 0 ? ofMachine[0] : XDG.state + "/running"
  }

  /// Where a record of a program may be: this user's, root's, and for root those of all users who
  /// have something mounted.
  package static func folders(_ mounted: [Mounted]) -> [String] {
    if let given { return [given] }
    var found = [ownFolder] + ofMachine
    if geteuid() == 0 {
      found.append(XDG.state + "/running")
      for user in Set(mounted.filter(\.isOurs).compactMap(\.user)).sorted() where user != 0 {
        // SAFETY: the record is static storage, copied at once; only one thread asks.
        guard let record = getpwuid(user), let home = record.pointee.pw_dir else { continue }
        found.append(String(path: home) + "/.local/state/fsharefs/running")
      }
    }
    var seen: Set<String> = []
    return found.filter { seen.insert($0).inserted }
  }

  /// Writes a record. Blocks; throws where there is no place for it.
  package static func note(_ record: RunningRecord) throws {
    // Root's are for everybody to see: that a mount is his is worth knowing.
    let isRoots = geteuid() == 0 && given == nil
    try File.makeDirectories(ownFolder, mode: isRoots ? 0o755 : 0o700)
    forgetDead()
    try File.writeAtomically(
      path(record.stateFolder), Array(try JSONEncoder().encode(record)),
      mode: isRoots ? 0o644 : 0o600)
  }

  /// Takes a record away; one that is gone already is fine.
  package static func withdraw(_ record: RunningRecord) {
    _ = unlink(path(record.stateFolder).cPath)
  }

  /// All records that can be read, of programs that run and of killed ones.
  package static func all(_ mounted: [Mounted] = MountTable.all) -> [RunningRecord] {
    var states: Set<[UInt8]> = []
    return folders(mounted).flatMap { read($0) }.map(\.record)
      .filter { states.insert($0.stateFolder.pathBytes).inserted }
  }

  /// Forgets those whose process is gone and has left nothing mounted, so that they never add up.
  private static func forgetDead() {
    let mounted = Set(MountTable.all.filter(\.isOurs).map(\.mountpoint))
    for (file, record) in read(ownFolder) {
      let hasMount = record.mountpoint.map { mounted.contains($0.pathBytes) } ?? false
      if !hasMount, ControlClient.presence(record.stateFolder) == .nobody { _ = unlink(file.cPath) }
    }
  }

  private static func path(_ stateFolder: String) -> String {
    let bytes = (File.resolved(stateFolder) ?? stateFolder).pathBytes
    let key = [UInt8](repeating: 0, count: SipHash.keyLength)
    guard let hash = SipHash(key: key) else { preconditionFailure("the key has its length") }
    return "\(ownFolder)/\(String(hash.of(bytes), radix: 16))\(suffix)"
  }

  private static func read(_ folder: String) -> [(file: String, record: RunningRecord)] {
    var found: [(file: String, record: RunningRecord)] = []
    for item in (try? FolderItems.of(folder, limit: filesLimit)) ?? [] {
      let name = String(pathBytes: item.name)
      guard name.hasSuffix(suffix), let record = record("\(folder)/\(name)") else { continue }
      found.append(("\(folder)/\(name)", record))
    }
    return found.sorted { $0.file < $1.file }
  }

  /// The record in a file of a user's own, or of root's: nobody else says where to ask.
  private static func record(_ file: String) -> RunningRecord? {
    let raw = open(file.cPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard raw >= 0 else { return nil }
    let opened = OwnedDescriptor(raw)
    guard let stat = try? Stat(descriptor: raw), stat.mode & 0o170000 == 0o100000,
      geteuid() == 0 || stat.uid == geteuid() || stat.uid == 0,
      let bytes = try? File.readAll(opened, file, limit: limit)
    else { return nil }
    return try? JSONDecoder().decode(RunningRecord.self, from: Data(bytes))
  }
}
