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
  /// Whom it is to belong to; nil where that stays.
  var user: UInt32?
  var group: UInt32?
  private let shown: ShownAttributes

  /// `shown`: what shows in place of an owner and a group. To have that changes nothing.
  init(_ attributes: Glibc.stat, set: Int32, shown: ShownAttributes) {
    self.shown = shown
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
    if has(FUSE_SET_ATTR_UID) { user = attributes.st_uid == shown.user ? nil : attributes.st_uid }
    if has(FUSE_SET_ATTR_GID) { group = attributes.st_gid == shown.group ? nil : attributes.st_gid }
  }

  /// Applies it to what `file` stands for, which may be open with O_PATH; `writable` opens it for
  /// writing, where a size is set. Throws: EPERM where the caller may not, as far as the kernel did
  /// not see it. Disk pool only.
  func apply(
    to file: OwnedDescriptor, for caller: Caller,
    writable: () throws(SystemError) -> OwnedDescriptor
  ) throws(SystemError) {
    let path = file.procPath
    if let size {
      let opened = try writable()
      try retryingOnInterrupt("truncate") { ftruncate(opened.raw, off_t(size)) }
    }
    if user != nil || group != nil { try changeOwner(of: file, for: caller) }
    if let mode { try retryingOnInterrupt("chmod") { chmod(path, mode_t(mode)) } }
    if let times { try retryingOnInterrupt("utimens") { utimensat(AT_FDCWD, path, times, 0) } }
  }

  /// chown(2), also to whom it belongs already: that takes the right to run as them away.
  private func changeOwner(of file: OwnedDescriptor, for caller: Caller) throws(SystemError) {
    if caller.user != 0 {
      // Of groups only the kernel knows which the caller is in.
      let owner = if let user = shown.user { user } else { try Stat(descriptor: file.raw).uid }
      guard owner == caller.user, user ?? owner == owner else {
        throw SystemError(code: EPERM, call: "chown")
      }
    }
    try retryingOnInterrupt("chown") {
      fchownat(file.raw, "", user ?? .max, group ?? .max, AT_EMPTY_PATH)
    }
  }
}
