import Control
import Glibc
import State
import System

/// One program that runs, or has run: its folders, its place in the group, its hub.
struct MountCheckUp {
  typealias Finding = DoctorReport.Finding

  /// Bytes that a disk should have left.
  private static let roomy: UInt64 = 1 << 30
  /// Folders that are counted at most, and for how long.
  private static let foldersCounted = 1 << 20
  private static let countingTime: Duration = .seconds(5)

  private let stateFolder: String
  private let mayRun: Bool

  /// Of a program that runs, by its state folder.
  init(_ stateFolder: String) {
    self.stateFolder = stateFolder
    mayRun = true
  }

  /// Of one that does not; nil where there never was one.
  init?(kept stateFolder: String) {
    guard access((stateFolder + "/key").cPath, F_OK) == 0 else { return nil }
    self.stateFolder = stateFolder
    mayRun = false
  }

  var findings: [Finding] {
    let session = Session(stateFolder: stateFolder, hasJSON: false)
    let state = stateFindings
    guard mayRun, let answer = session.look(JSONValue.self, of: "status") else {
      return (mayRun ? [silence] : []) + state + keptHub
    }
    if let hub = try? answer.decode(as: HubReport.self) {
      let claimed: Finding =
        hub.hasMaster
        ? Finding("running", .well, "a hub alone, which listens on \(hub.listens)")
        : Finding(
          "running", .caution, "the hub on \(hub.listens) has no master yet",
          "fsharefs --master HUB MOUNTPOINT, with the code of: fshare-hub claim-code --state "
            + stateFolder)
      return [claimed] + state + HubProbe.listening(hub.listens)
    }
    guard let status = try? answer.decode(as: StatusReport.self) else { return [silence] + state }
    return [standing(status)] + state + hub(status) + ownFolder(status)
  }

  private var silence: Finding {
    ControlClient.presence(stateFolder) == .nobody
      ? Finding(
        "running", .bad, "nothing runs with the state folder \(stateFolder)",
        "fsharefs --state \(stateFolder) MOUNTPOINT")
      : Finding(
        "running", .bad, "the program with the state folder \(stateFolder) does not answer",
        "look into \(stateFolder)/log; a stopped one goes on with: kill -CONT PID")
  }

  private func standing(_ status: StatusReport) -> Finding {
    let what = "\(status.mountpoint) is \(status.state.rawValue)"
    let number = status.publicID.map { "\($0)" } ?? "NUMBER"
    return switch status.state {
    case .live:
      status.masterPresent
        ? Finding("mount", .well, what)
        : Finding(
          "mount", .caution, "\(what), but the master is away: nothing in the list changes",
          "start fsharefs where the master is")
    case .waiting:
      Finding(
        "mount", .caution, "\(what) for its approval",
        "fsharectl approve \(number), where the master is; its words: \(status.words)")
    case .disapproved:
      Finding(
        "mount", .bad, what, "fsharectl approve \(number), where the master is, if that was wrong")
    case .connecting, .reconnecting:
      Finding("mount", .caution, what, "see the line of the hub")
    case .left: Finding("mount", .caution, what, "programs still use it: end them")
    }
  }

  private var stateFindings: [Finding] {
    let found: StateCheck
    do throws(StateFault) { found = try StateCheck(stateFolder) } catch {
      return [
        Finding("state folder", .bad, error.description, "ls -la \(stateFolder)")
      ]
    }
    let bad = found.files.filter { !$0.isWell }
    if bad.isEmpty { return [Finding("state folder", .well, "\(stateFolder) is well")] }
    return bad.map {
      Finding(
        "state folder", .bad, "\(stateFolder)/\($0.name): \($0.says)",
        "see: fsharectl check --state \(stateFolder)")
    }
  }

  private func hub(_ status: StatusReport) -> [Finding] {
    if status.role == .host { return HubProbe.listening(status.hub) }
    return HubProbe.reach(status.hub, isConnected: status.hubConnected)
  }

  /// Of one that does not run its group file says where the hub is.
  private var keptHub: [Finding] {
    guard let group = try? GroupFile.read("\(stateFolder)/\(StateKind.group.rawValue)") else {
      return []
    }
    return HubProbe.reach(group.hub, isConnected: false)
  }

  private func ownFolder(_ status: StatusReport) -> [Finding] {
    let path = status.ownFolder
    guard access(path.cPath, R_OK | W_OK | X_OK) == 0 else {
      return [
        Finding(
          "own folder", .bad, "\(path): \(SystemError.reason(errno))",
          "make it this user's, readable and writable")
      ]
    }
    var found: [Finding] = []
    var room = statvfs()
    if statvfs(path.cPath, &room) == 0 {
      let free = UInt64(room.f_bavail) * UInt64(room.f_frsize)
      if free < Self.roomy {
        found.append(
          Finding(
            "own folder", .caution, "\(path): only \(CheckReport.amount(free)) are free",
            "make room: nothing can be copied into the share without"))
      }
    }
    if let type = MountTable.covering(path)?.type, Self.isElsewhere(type) {
      found.append(
        Finding(
          "own folder", .caution,
          "\(path) lies on \(type): what other machines change there is noticed once a minute",
          "choose a local disk: --own DIR"))
    }
    if status.notShared + status.setAside > 0 {
      found.append(
        Finding(
          "own folder", .caution, "\(status.notShared + status.setAside) of \(path) are not shared",
          "the log says which; fsharectl why PATH says why"))
    }
    if found.isEmpty { found.append(Finding("own folder", .well, "\(path) can be used")) }
    return found + [watches(path)]
  }

  private static func isElsewhere(_ type: String) -> Bool {
    type.hasPrefix("nfs") || type == "cifs" || type == "smb3" || type == "9p"
      || type.hasPrefix("fuse.")
  }

  private func watches(_ path: String) -> Finding {
    let name = "fs.inotify.max_user_watches"
    let limit =
      (try? File.readAll("/proc/sys/fs/inotify/max_user_watches", limit: 64))
      .flatMap { Int(String(decoding: $0.filter { $0 > 0x20 }, as: UTF8.self)) } ?? 0
    let (count, isAll) = folders(in: path)
    let says = "\(count)\(isAll ? "" : " or more") folders in \(path), \(limit) watches allowed"
    // Other programs of the same user want some too.
    if count > limit / 10 * 9 {
      return Finding(
        "inotify", .caution, says + ": changes are noticed once a minute",
        "sysctl -w \(name)=\(max(1 << 20, 2 * count)), as root, and in /etc/sysctl.d to keep it")
    }
    return Finding("inotify", .well, says)
  }

  private func folders(in top: String) -> (count: Int, isAll: Bool) {
    let end = MonotonicClock.now + Self.countingTime
    var waiting = [top]
    var count = 0
    while let folder = waiting.popLast() {
      count += 1
      if count >= Self.foldersCounted || MonotonicClock.now > end { return (count, false) }
      let items = (try? FolderItems.of(folder)) ?? []
      waiting += items.filter(\.isFolder).map { "\(folder)/\(String(pathBytes: $0.name))" }
    }
    return (count, true)
  }
}
