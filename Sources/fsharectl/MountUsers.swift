import Control
import Glibc
import System

/// The programs of this machine that use a mount: by an open file, or as their current directory.
/// Only names are read in /proc, so a mount that does not answer holds nobody up.
enum MountUsers {
  /// As `name (pid)`, of those that this user may look at.
  static func of(_ mountpoint: String) -> [String] {
    let mount = mountpoint.pathBytes
    return pids.filter { $0 != getpid() && uses($0, mount) }.map { "\(name($0)) (\($0))" }
  }

  private static var pids: [pid_t] {
    entries("/proc").compactMap { pid_t($0) }.sorted()
  }

  private static func uses(_ pid: pid_t, _ mount: [UInt8]) -> Bool {
    let files = entries("/proc/\(pid)/fd").map { "fd/\($0)" }
    return (["cwd", "root", "exe"] + files).contains { link in
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/\(pid)/\(link)", &buffer, buffer.count)
      guard count > 0 else { return false }
      return File.isSameOrBelow(buffer[..<count].map { UInt8(bitPattern: $0) }, mount)
    }
  }

  private static func name(_ pid: pid_t) -> String {
    let bytes = (try? File.readAll("/proc/\(pid)/comm", limit: 4_096)) ?? []
    return TerminalText.text(Array(bytes.prefix { $0 != UInt8(ascii: "\n") }))
  }

  private static func entries(_ folder: String) -> [String] {
    ((try? FolderItems.of(folder)) ?? []).map { String(pathBytes: $0.name) }
  }
}
