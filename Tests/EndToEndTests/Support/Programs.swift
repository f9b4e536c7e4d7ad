import Glibc
import System

/// Where the programs under test are, and what the machine offers.
enum Programs {
  /// `$FSHAREFS_BIN`, else the folder that the build put them in beside this test's executable.
  static let folder: String = {
    if let given = Environment.get("FSHAREFS_BIN") { return given }
    // The bundle is handed to a helper program of the toolchain, so /proc/self/exe may be that.
    let candidates = CommandLine.arguments + [ownExecutable]
    for candidate in candidates {
      var path = candidate
      while path.contains("/"), path != "/" {
        path = File.folder(of: path)
        if access(path + "/fsharefs", X_OK) == 0 { return path }
      }
    }
    return ".build/release"
  }()

  static var fsharefs: String { folder + "/fsharefs" }
  static var hub: String { folder + "/fshare-hub" }
  static var control: String { folder + "/fsharectl" }

  /// Whether mount tests run: /dev/fuse is there, or has to be (then they fail, as they should).
  static let canMount =
    access("/dev/fuse", R_OK | W_OK) == 0 || Environment.get("FSHAREFS_REQUIRE_MOUNT") == "1"

  private static var ownExecutable: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return "" }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
