import Control
import Glibc
import Protocol
import Runtime
import System

/// What the command says once the mount is there: what that is, and what to type next. For people:
/// under a service manager or mount(8) nothing is said.
///
/// Said by the command, not by the process that it leaves behind: only the command has a terminal,
/// on which an invite is a picture too.
struct FirstWords {
  let mountpoint: String
  let stateFolder: String

  /// An answer that takes longer is not waited for: the mount is there.
  private static let patience: Duration = .seconds(3)

  /// Writes to stderr. Blocks for a few seconds at most.
  func say() {
    for line in lines { Startup.tell(line) }
  }

  private var lines: [String] {
    let place = "mounted on \(File.resolved(mountpoint) ?? mountpoint)"
    guard let status = report(StatusReport.self, of: "status") else { return [place] }
    guard status.state == .live else {
      return ["\(place), not in the group yet: \(command("status")) says how far it is"]
    }
    if status.role != .client, let others = otherMembers, others == 0 {
      return ["\(place): what is copied in is shared, so far with nobody"] + invitation + [leaving]
    }
    let group = "\(status.membersOnline) online, \(status.entries) entries"
    return ["\(place): \(group)", leaving]
  }

  private var leaving: String { "to leave: fsharectl leave \(ShellWord.quoted(mountpoint))" }

  /// How many are let in beside this one; nil where that is not told.
  private var otherMembers: Int? {
    report(MembersReport.self, of: "members")?.members.count {
      !$0.isSelf && $0.state == .approved
    }
  }

  private var invitation: [String] {
    let deciding = "to let them in: \(command("watch"))"
    guard let invite = report(InviteReport.self, of: "invite") else {
      return ["to invite others: \(command("invite"))", deciding]
    }
    if isatty(STDERR_FILENO) == 1, let modules = QRCode.modules(of: invite.link) {
      try? File.writeAll(Array(HalfBlocks.text(modules).utf8) + [0x0A], to: STDERR_FILENO, "stderr")
    }
    let isAlone = invite.addresses.first.map(Loopback.contains) ?? false
    let others = isAlone ? "others of this machine, where alone the hub listens," : "others"
    return ["\(others) join with: fsharefs \(ShellWord.quoted(invite.link)) MOUNTPOINT", deciding]
  }

  /// A command of `fsharectl` for this mount, also where another one runs.
  private func command(_ name: String) -> String {
    let isAlone = RunningRecords.all(MountTable.all).count < 2
    return "fsharectl \(name)" + (isAlone ? "" : " --mount \(ShellWord.quoted(mountpoint))")
  }

  private func report<Report: Decodable>(_ type: Report.Type, of command: String) -> Report? {
    ControlClient.report(type, of: command, stateFolder: stateFolder, timeout: Self.patience)
  }
}
