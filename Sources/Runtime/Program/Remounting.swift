import Glibc
import Mount
import System

/// `mount -o remount`: what the kernel keeps of a mount is changed, whoever serves it.
package enum Remounting {
  private static let flags: [String: Int32] = [
    "ro": Int32(MS_RDONLY), "noexec": Int32(MS_NOEXEC), "noatime": Int32(MS_NOATIME),
    "sync": Int32(MS_SYNCHRONOUS), "dirsync": Int32(MS_DIRSYNC),
  ]

  /// Gives a mount the kernel's flags; all other options are those with which it was mounted, which
  /// mount(8) repeats. Throws: an ending with code 66.
  package static func run(on mountpoint: String, flags wanted: [String]) throws(Ending) {
    guard let path = File.resolved(mountpoint), MountTable.type(of: path) == "fuse.fsharefs" else {
      throw Ending(.mountpoint, "remount \(mountpoint): no fsharefs is mounted there")
    }
    let known = wanted.compactMap { flags[$0] }
    let all = known.reduce(Int32(MS_REMOUNT) | Int32(MS_NOSUID) | Int32(MS_NODEV)) { $0 | $1 }
    guard mount(nil, path.cPath, nil, UInt(UInt32(bitPattern: all)), nil) != 0 else { return }
    let code = errno
    let hint = code == EBUSY ? ": files of it are open for writing" : ""
    throw Ending(.mountpoint, "remount \(mountpoint): \(SystemError.reason(code))\(hint)")
  }
}
