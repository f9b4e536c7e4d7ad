import CFuse
import CLinux
import Glibc
import Protocol
import System

/// What a SETATTR wants.
struct AttributeChange: Sendable {
  var mode: UInt32?
  var size: Int64?
  /// Access and modification time, with UTIME_NOW and UTIME_OMIT; nil where neither is set.
  var times: [timespec]?
  var changesOwner = false
  /// Whether an owner or a group is set, the same one even: that takes the right to run as them away.
  private var dropsPrivileges = false

  init(_ attributes: Glibc.stat, set: Int32) {
    func has(_ flag: Int32) -> Bool { set & flag != 0 }
    if has(FUSE_SET_ATTR_MODE) { mode = attributes.st_mode & 0o7777 }
    if has(FUSE_SET_ATTR_SIZE) { size = Int64(attributes.st_size) }
    if has(FUSE_SET_ATTR_ATIME) || has(FUSE_SET_ATTR_MTIME) {
      let omit = timespec(tv_sec: 0, tv_nsec: clinux_utime_omit)
      let now = timespec(tv_sec: 0, tv_nsec: clinux_utime_now)
      times = [
        has(FUSE_SET_ATTR_ATIME_NOW) ? now : has(FUSE_SET_ATTR_ATIME) ? attributes.st_atim : omit,
        has(FUSE_SET_ATTR_MTIME_NOW) ? now : has(FUSE_SET_ATTR_MTIME) ? attributes.st_mtim : omit,
      ]
    }
    dropsPrivileges = has(FUSE_SET_ATTR_UID) || has(FUSE_SET_ATTR_GID)
    changesOwner =
      (has(FUSE_SET_ATTR_UID) && attributes.st_uid != getuid())
      || (has(FUSE_SET_ATTR_GID) && attributes.st_gid != getgid())
  }

  /// Applies it to what `file` stands for, which may be open with O_PATH; `writable` opens it for writing,
  /// where a size is set. Disk pool only.
  func apply(
    to file: OwnedDescriptor, writable: () throws(SystemError) -> OwnedDescriptor
  ) throws(SystemError) {
    let path = file.procPath
    if let size {
      let opened = try writable()
      try retryingOnInterrupt("truncate") { ftruncate(opened.raw, off_t(size)) }
    }
    // No owner is set: the own folder's kernel does the rest.
    if dropsPrivileges { try retryingOnInterrupt("chown") { chown(path, .max, .max) } }
    if let mode { try retryingOnInterrupt("chmod") { chmod(path, mode_t(mode)) } }
    if let times { try retryingOnInterrupt("utimens") { utimensat(AT_FDCWD, path, times, 0) } }
  }
}
