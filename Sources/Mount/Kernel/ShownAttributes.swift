import Glibc
import System

/// Owner, group and permission bits that everything in the mount shows in place of its own, as
/// libfuse's `uid=`, `gid=` and `umask=` have it, and whom others' files are said to belong to. The
/// kernel judges by what shows (`default_permissions`), so what this process judges by itself goes
/// by the same.
package struct ShownAttributes: Sendable, Equatable {
  /// Whom everything belongs to; nil: to whom it does.
  package var user: UInt32?
  /// The group that everything is of; nil: the one that it is of.
  package var group: UInt32?
  /// Permission bits that nothing has, while it has all others; nil: each has its own.
  package var umask: UInt32?
  /// Whom others' files belong to: somebody who is nobody here, so that programs see that they may
  /// only read them. nil: whoever mounted, as others' directories and symlinks do.
  package var nobody: UInt32?

  package init() {}

  /// What is shown of a thing.
  func applied(to real: Glibc.stat, _ thing: Thing) -> Glibc.stat {
    var shown = real
    if thing.isOthersFile, let othersUser {
      shown.st_mode = real.st_mode & ~0o7777 | Self.readable(real.st_mode)
      if thing == .othersGitLink { shown.st_mode &= ~0o222 } else { shown.st_uid = othersUser }
    }
    if let user { shown.st_uid = user }
    if let group { shown.st_gid = group }
    if let umask, thing != .symlink { shown.st_mode = real.st_mode & ~0o7777 | 0o777 & ~umask }
    return shown
  }

  /// What it is that is shown, as far as that matters to whom it belongs.
  enum Thing: Equatable, Sendable {
    case symlink
    case othersFile
    /// Others' file `.git`, which stands for a repository that lies elsewhere. git wants it to be
    /// of whoever asks, as it does a directory `.git`.
    case othersGitLink
    /// One's own, and directories.
    case other

    var isOthersFile: Bool { self == .othersFile || self == .othersGitLink }
  }

  /// Whether somebody has, on this machine, the rights of the member itself: who mounted, and whom
  /// everything is said to belong to.
  func isMember(_ caller: Caller) -> Bool { caller.isProcess || caller.user == user }

  /// Whether the caller, whom the kernel let through by what shows, may open others' file for
  /// reading, or for execution. `mode`: as its owner set it. Its group's place is taken by what the
  /// member itself may do, so whoever else is in that group is judged here: of the caller's groups
  /// nothing but the first is known.
  func mayOpen(_ caller: Caller, mode: UInt32, forExecution: Bool) -> Bool {
    guard let othersUser, umask == nil, caller.user != 0, !isMember(caller) else { return true }
    let everybody: UInt32 = forExecution ? 0o001 : 0o004
    let wanted = caller.user == othersUser ? everybody : everybody | everybody << 3
    return mode & wanted != 0
  }

  /// The mode of a file that whoever mounted reads as one of its group: as its owner does. Nobody
  /// but an owner writes; a copy of it, which has one, can be written to.
  private static func readable(_ mode: mode_t) -> mode_t { mode & 0o705 | (mode & 0o500) >> 3 }

  /// Whom others' files show as their owner; nil where that would keep whoever mounted from reading
  /// them, or `uid=` says whose everything is.
  private var othersUser: UInt32? {
    guard let nobody, user == nil else { return nil }
    // Root reads everything.
    if Caller.process.user == 0 { return nobody }
    if let group, !Caller.processGroups.contains(group) { return nil }
    if let umask, (umask >> 3) & 0o5 & ~(umask >> 6) != 0 { return nil }
    return nobody
  }
}
