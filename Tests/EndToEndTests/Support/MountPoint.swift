import CLinux
import Glibc
import System

/// What the kernel says of mounts.
enum MountPoint {
  /// Whether a FUSE file system is mounted exactly there.
  static func isLive(_ path: String) -> Bool { all(below: path).contains(path) }

  /// The mount points at or below a path, deepest first. Paths of tests need no unescaping.
  static func all(below path: String) -> [String] {
    guard let table = try? File.readAll("/proc/self/mountinfo", limit: 8 << 20) else { return [] }
    let lines = String(decoding: table, as: UTF8.self).split(separator: "\n")
    let points = lines.compactMap { line -> String? in
      let fields = line.split(separator: " ")
      return fields.count > 4 ? String(fields[4]) : nil
    }
    return points.filter { $0 == path || $0.hasPrefix(path + "/") }.reversed()
  }

  /// Takes a mount away, whatever its daemon does, and ends what waits for it. Of a daemon that was
  /// killed a thread may be left that tells the kernel something about a directory which is being
  /// listed: it keeps the device open, so that without force the listing would wait for ever.
  static func detach(_ path: String) { _ = umount2(path, Int32(MNT_FORCE | MNT_DETACH)) }
}
