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
    changesOwner =
      (has(FUSE_SET_ATTR_UID) && attributes.st_uid != getuid())
      || (has(FUSE_SET_ATTR_GID) && attributes.st_gid != getgid())
  }

  /// Applies it to an open file, or by path. Disk pool only.
  func apply(
    to file: OwnedDescriptor?, _ folder: OwnFolder, _ path: SharePath
  ) throws(SystemError) {
    if let mode {
      if let file {
        try retryingOnInterrupt("fchmod") { fchmod(file.raw, mode_t(mode)) }
      } else {
        try folder.setMode(path, mode)
      }
    }
    if let size {
      if let file {
        try retryingOnInterrupt("ftruncate") { ftruncate(file.raw, off_t(size)) }
      } else {
        try folder.truncate(path, to: size)
      }
    }
    if let times {
      if let file {
        try retryingOnInterrupt("futimens") { futimens(file.raw, times) }
      } else {
        try folder.setTimes(path, times)
      }
    }
  }
}
