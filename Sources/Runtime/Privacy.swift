import Glibc
import System

/// Secrets lie only where nobody else gets at them: anything looser is refused, with the command that
/// mends it.
enum Privacy {
  /// Throws: an ending with code 73 where others than its owner may enter the folder.
  static func check(folder: String) throws(Ending) { try check(folder, "chmod 700 \(folder)") }

  /// Throws: an ending with code 73 where others than its owner may read or write the file.
  static func check(file: String) throws(Ending) { try check(file, "chmod 600 \(file)") }

  /// The same of a file that may not be there yet.
  static func check(ifThere file: String) throws(Ending) {
    if access(file.cPath, F_OK) == 0 { try check(file: file) }
  }

  private static func check(_ path: String, _ remedy: String) throws(Ending) {
    let seen: Stat
    do throws(SystemError) { seen = try Stat(path: path) } catch {
      throw Ending(.folder, "\(error)")
    }
    guard seen.uid == geteuid() || seen.uid == 0 else {
      throw Ending(
        .folder, "\(path) belongs to another user (\(seen.uid)): give a folder of one's own")
    }
    guard seen.permissions & 0o077 == 0 else {
      let mode = String(seen.permissions & 0o777, radix: 8)
      throw Ending(
        .folder, "\(path) is open to other users (mode \(mode)); keep it to its owner: \(remedy)")
    }
  }
}
