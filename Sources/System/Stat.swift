import CLinux
package import Glibc

/// What `stat` says of a file.
package struct Stat: Equatable, Sendable {
  /// The device that holds the file.
  package var dev: UInt64
  /// The file's number on its device.
  package var ino: UInt64
  /// Kind and permission bits.
  package var mode: UInt32
  /// Number of hard links.
  package var nlink: UInt64
  /// Owner.
  package var uid: UInt32
  /// Group.
  package var gid: UInt32
  /// Which device it stands for, if it is one.
  package var rdev: UInt64
  /// Length in bytes.
  package var size: Int64
  /// Blocks of 512 bytes in use.
  package var blocks: Int64
  /// Last change of the content.
  package var mtime: timespec
  /// Last change of content or attributes.
  package var ctime: timespec
  /// Last access.
  package var atime: timespec

  /// The attributes of an open file.
  package init(descriptor: Int32) throws(SystemError) {
    var raw = stat()
    try retryingOnInterrupt("fstat") { fstat(descriptor, &raw) }
    self.init(raw)
  }

  /// The attributes of `name` in an open directory (`AT_FDCWD` for a path); never follows a link.
  package init(at directory: Int32, name: [UInt8]) throws(SystemError) {
    var raw = stat()
    let path = name.map { CChar(bitPattern: $0) } + [0]
    try retryingOnInterrupt("stat \(String(decoding: name, as: UTF8.self))") {
      fstatat(directory, path, &raw, AT_SYMLINK_NOFOLLOW)
    }
    self.init(raw)
  }

  /// The attributes of what a path leads to; follows links.
  package init(path: String) throws(SystemError) {
    var raw = stat()
    try retryingOnInterrupt("stat \(path)") { fstatat(AT_FDCWD, path.cPath, &raw, 0) }
    self.init(raw)
  }

  private init(_ raw: stat) {
    dev = UInt64(raw.st_dev)
    ino = UInt64(raw.st_ino)
    mode = raw.st_mode
    nlink = UInt64(raw.st_nlink)
    uid = raw.st_uid
    gid = raw.st_gid
    rdev = UInt64(raw.st_rdev)
    size = Int64(raw.st_size)
    blocks = Int64(raw.st_blocks)
    mtime = raw.st_mtim
    ctime = raw.st_ctim
    atime = raw.st_atim
  }

  /// Whether it is a directory.
  package var isDirectory: Bool { mode & clinux_s_ifmt == clinux_s_ifdir }
  /// Whether it is a regular file.
  package var isRegular: Bool { mode & clinux_s_ifmt == clinux_s_ifreg }
  /// Whether it is a symbolic link.
  package var isSymlink: Bool { mode & clinux_s_ifmt == clinux_s_iflnk }
  /// Whether it is a named pipe.
  package var isPipe: Bool { mode & clinux_s_ifmt == clinux_s_ififo }
  /// Whether it is a socket.
  package var isSocket: Bool { mode & clinux_s_ifmt == clinux_s_ifsock }
  /// The bits of `mode` that say of which kind it is.
  package var format: UInt32 { mode & clinux_s_ifmt }
  /// The permission bits, with setuid, setgid and sticky.
  package var permissions: UInt32 { mode & 0o7777 }
}
