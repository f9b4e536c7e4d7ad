import Glibc
import System

/// Owner, group and permission bits that everything in the mount shows in place of its own, as
/// libfuse's `uid=`, `gid=` and `umask=` have it. The kernel judges by what shows
/// (`default_permissions`), so what this process judges by itself goes by the same.
package struct ShownAttributes: Sendable, Equatable {
  /// Whom everything belongs to; nil: to whom it does.
  package var user: UInt32?
  /// The group that everything is of; nil: the one that it is of.
  package var group: UInt32?
  /// Permission bits that nothing has, while it has all others; nil: each has its own.
  package var umask: UInt32?

  package init() {}

  /// What is shown of a thing.
  func applied(to real: Glibc.stat, isSymlink: Bool) -> Glibc.stat {
    var shown = real
    if let user { shown.st_uid = user }
    if let group { shown.st_gid = group }
    if let umask, !isSymlink { shown.st_mode = real.st_mode & ~0o7777 | 0o777 & ~umask }
    return shown
  }

  /// Whether somebody has, on this machine, the rights of the member itself: who mounted, and whom
  /// everything is said to belong to.
  func isMember(_ caller: Caller) -> Bool { caller.isProcess || caller.user == user }
}
