import ArgumentParser
import Control
import Glibc
import System

/// Finds which of the running programs is meant, and with it its state folder: by a path, by the
/// current directory, or because there is only one. Never touches a mount: a dead one must not hold
/// anybody up.
struct MountFinder {
  /// Why none was found.
  struct NotFound: Error {
    let text: String
    let code: ExitCode
  }

  /// Which programs a command is for.
  enum Audience {
    case anybody
    /// Where several run, those with the master app.
    case deciders
  }

  /// Must be told which (sysexits' EX_USAGE), nothing runs (EX_UNAVAILABLE), another user's
  /// (EX_NOPERM).
  static let usage = ExitCode(64)
  static let unavailable = ExitCode(69)
  static let denied = ExitCode(77)

  private let mounted: [Mounted]
  let records: [RunningRecord]

  /// Looks what there is.
  init() {
    mounted = MountTable.all
    records = RunningRecords.all(mounted)
  }

  /// The state folder that a command is for: what its options say, else the mount in which what it
  /// is about lies, else the current directory or the only one that runs. Where nothing is known to
  /// run, that of `fsharefs` without `--state`.
  static func stateFolder(
    state: String?, mount: String?, about path: String? = nil, for audience: Audience = .anybody
  ) throws(NotFound) -> String {
    if let state { return state }
    if mount == nil, let state = Environment.get("FSHAREFS_STATE") { return state }
    let finder = MountFinder()
    if let mount {
      if let found = try finder.stateFolder(containing: mount) { return found }
      throw NotFound(text: "\(mount) does not lie in a mount of fsharefs", code: unavailable)
    }
    if let path, let found = try finder.stateFolder(containing: path) { return found }
    return try finder.stateFolder(for: audience) ?? XDG.state
  }

  /// Mounts that nobody serves, as far as the records say: this user's, and for root everybody's.
  var unserved: [String] {
    let served = records.filter { ControlClient.presence($0.stateFolder) != .nobody }
      .compactMap { $0.mountpoint?.pathBytes }
    return mounted.filter { one in
      one.isOurs && (geteuid() == 0 || one.user == geteuid())
        && !mounted.contains { $0.device == one.device && served.contains($0.mountpoint) }
    }.map { String(pathBytes: $0.mountpoint) }
  }

  /// The mount that a path lies in, where nobody serves it as far as the records say.
  func unserved(containing path: String) -> String? {
    guard let found = mount(containing: path) else { return nil }
    let point = String(pathBytes: found.mountpoint)
    return unserved.contains(point) ? point : nil
  }

  /// Those that answer this user, mounts before hubs.
  var running: [RunningRecord] {
    let answering = records.filter { ControlClient.presence($0.stateFolder) == .somebody }
    return answering.filter { $0.role != .hub } + answering.filter { $0.role == .hub }
  }

  /// The state folder of the mount that a path lies in; nil where it lies in none of ours.
  func stateFolder(containing path: String) throws(NotFound) -> String? {
    guard let mount = mount(containing: path) else { return nil }
    let point = String(pathBytes: mount.mountpoint)
    let same = mounted.filter { $0.device == mount.device }.map(\.mountpoint)
    let found = records.filter { one in one.mountpoint.map { same.contains($0.pathBytes) } ?? false
    }
    let presences = found.map { ($0, ControlClient.presence($0.stateFolder)) }
    if let (record, _) = presences.first(where: { $0.1 == .somebody }) { return record.stateFolder }
    if presences.contains(where: { $0.1 == .stranger }) {
      throw NotFound(
        text: "the mount at \(point) is another user's: ask as that user, or with sudo",
        code: Self.denied)
    }
    if found.isEmpty, mount.user != geteuid(), geteuid() != 0 {
      throw NotFound(
        text: "the mount at \(point) is another user's: ask as that user, or with sudo",
        code: Self.denied)
    }
    throw NotFound(
      text: found.isEmpty
        ? "the mount at \(point) has left no record of itself: give its --state"
        : "the mount at \(point) is dead, its process has ended: fusermount3 -u -z \(point), "
          + "then start it again",
      code: Self.unavailable)
  }

  /// The state folder that is meant where no path says it: by the current directory, else the only
  /// one. nil where nothing is known to run.
  func stateFolder(for audience: Audience) throws(NotFound) -> String? {
    if let current = Self.currentFolder, let found = try stateFolder(containing: current) {
      return found
    }
    let running = running
    let mounts = running.filter { $0.role != .hub }
    var meant = mounts.isEmpty ? running : mounts
    if audience == .deciders, meant.contains(where: \.decides) { meant = meant.filter(\.decides) }
    if meant.count > 1 { throw NotFound(text: Self.choice(of: meant), code: Self.usage) }
    if let one = meant.first { return one.stateFolder }
    if let other = records.first(where: { ControlClient.presence($0.stateFolder) == .stranger }) {
      let what = other.mountpoint.map { "mount at \($0)" } ?? "hub in \(other.stateFolder)"
      throw NotFound(
        text: "only another user's \(what) runs here: ask as that user, or with sudo",
        code: Self.denied)
    }
    return nil
  }

  private static func choice(of records: [RunningRecord]) -> String {
    let rows = records.map { [$0.mountpoint ?? "", $0.role.rawValue, $0.stateFolder] }
    let table = TextTable(head: ["MOUNTPOINT", "ROLE", "STATE FOLDER"], rows: rows).text(.plain)
    return "\(records.count) run here: go into the one that is meant, or give --mount or --state\n"
      + table
  }

  private func mount(containing path: String) -> Mounted? {
    let absolute = Self.absolute(path)
    if let found = covering(absolute), found.isOurs { return found }
    // A link may lead in.
    guard let resolved = File.resolved(path) else { return nil }
    return covering(resolved).flatMap { $0.isOurs ? $0 : nil }
  }

  private func covering(_ path: String) -> Mounted? { MountTable.covering(path, in: mounted) }

  /// A path from the top, by its names alone.
  static func absolute(_ path: String) -> String {
    let slash = UInt8(ascii: "/")
    let bytes = path.pathBytes
    let start = bytes.first == slash ? [] : (currentFolder ?? "").pathBytes
    var parts: [ArraySlice<UInt8>] = []
    for part in (start + [slash] + bytes).split(separator: slash) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) {
        _ = parts.popLast()
      } else {
        parts.append(part)
      }
    }
    return String(pathBytes: [slash] + Array(parts.joined(separator: [slash])))
  }

  private static var currentFolder: String? {
    guard let current = getcwd(nil, 0) else { return nil }
    defer { free(current) }
    return String(path: current)
  }
}
