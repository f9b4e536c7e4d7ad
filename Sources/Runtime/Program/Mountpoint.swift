import CLinux
import Glibc
import Mount
import System

/// Checks of the directory to mount on, before anything is done.
enum Mountpoint {
  /// The absolute path of a usable mountpoint. A stale mount of a dead process is cleaned up.
  /// Throws: an ending with code 66 that says what is wrong.
  static func check(_ path: String, apartFrom folders: [String]) throws(Ending) -> String {
    // Force ends what still waits for the dead process: only root may use it.
    if isStale(path), umount2(path.cPath, Int32(MNT_FORCE | MNT_DETACH)) != 0 {
      Fusermount.unmount(path, lazily: true)
    }
    guard let absolute = File.resolved(path) else {
      let reason = errno
      let remedy = reason == ENOENT ? "; make it: mkdir -p \(ShellWord.quoted(path))" : ""
      throw Ending(.mountpoint, "mountpoint \(path): \(SystemError.reason(reason))\(remedy)")
    }
    if let type = MountTable.type(of: absolute), type.hasPrefix("fuse") {
      throw Ending(.mountpoint, "mountpoint \(path): something is mounted there already (\(type))")
    }
    guard let stat = try? Stat(path: absolute), stat.isDirectory else {
      throw Ending(.mountpoint, "mountpoint \(path): not a directory")
    }
    if geteuid() != 0, access(absolute.cPath, W_OK) != 0 {
      throw Ending(
        .mountpoint,
        "mountpoint \(path): fusermount3 mounts only where one may write: give it to this user")
    }
    for folder in folders {
      let folder = File.resolved(folder) ?? folder
      if isSameOrBelow(absolute, folder) || isSameOrBelow(folder, absolute) {
        throw Ending(
          .mountpoint,
          "mountpoint \(path) and \(folder) may not contain each other: choose another one")
      }
    }
    let isEmpty: Bool
    do throws(SystemError) { isEmpty = try FolderItems.of(absolute, limit: 1).isEmpty } catch {
      throw Ending(.mountpoint, "mountpoint \(path): \(SystemError.reason(error.code))")
    }
    if !isEmpty { throw Ending(.mountpoint, "mountpoint \(path): the directory is not empty") }
    return absolute
  }

  /// A mount whose process died answers everything with ENOTCONN.
  private static func isStale(_ path: String) -> Bool {
    var record = stat()
    return stat(path.cPath, &record) != 0 && errno == ENOTCONN
  }

  /// Whether one path is another or lies in it, by their names.
  static func isSameOrBelow(_ path: String, _ folder: String) -> Bool {
    File.isSameOrBelow(path.pathBytes, folder.pathBytes)
  }
}
