import Glibc
import System

/// Secrets lie only where nobody else gets at them: anything looser is refused, with the command
/// that mends it.
package enum Privacy {
  /// Throws where others than its owner may enter the folder.
  package static func check(folder: String) throws(StateFault) {
    try check(folder, "chmod 700 \(folder)")
  }

  /// Throws where others than its owner may read or write the file.
  package static func check(file: String) throws(StateFault) {
    try check(file, "chmod 600 \(file)")
  }

  /// The same of a file that may not be there yet.
  package static func check(ifThere file: String) throws(StateFault) {
    if access(file.cPath, F_OK) == 0 { try check(file: file) }
  }

  private static func check(_ path: String, _ remedy: String) throws(StateFault) {
    let seen: Stat
    do throws(SystemError) { seen = try Stat(path: path) } catch { throw StateFault(error) }
    guard seen.uid == geteuid() || seen.uid == 0 else {
      throw StateFault(
        .exposed, "\(path) belongs to another user (\(seen.uid)): give a folder of one's own")
    }
    guard seen.permissions & 0o077 == 0 else {
      let mode = String(seen.permissions & 0o777, radix: 8)
      throw StateFault(
        .exposed,
        "\(path) is open to other users (mode \(mode)); keep it to its owner: \(remedy)")
    }
  }
}
