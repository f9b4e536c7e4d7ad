import Control
import Glibc
import System

/// Mounts that nobody serves.
enum StaleMounts {
  /// How long a mount may take to say anything.
  private static let patience: Duration = .seconds(2)

  /// One line each. `unserved`: mountpoints without a program that is known to serve them.
  static func findings(_ unserved: [String]) -> [DoctorReport.Finding] {
    unserved.map { point in
      switch answer(of: point) {
      case ENOTCONN:
        .init(
          "mount", .bad, "\(point) is dead: its process has ended",
          "fusermount3 -u -z \(point), then start it again")
      case 0, EACCES:
        .init(
          "mount", .caution, "\(point) is served by a program that has left no record of itself",
          "fsharectl --state DIR, with the folder that it was started with")
      case nil:
        .init(
          "mount", .bad, "\(point) does not answer",
          "look whether its fsharefs is stopped (kill -CONT PID); else umount -f \(point), as root")
      case let code?:
        .init(
          "mount", .bad, "\(point): \(SystemError.reason(code))", "fusermount3 -u -z \(point)")
      }
    }
  }

  /// What a mount says to `stat`, 0 where that is well; nil where it says nothing. A thread that
  /// waits for ever ends with the program.
  static func answer(of point: String) -> Int32? {
    let answer = Monitor<Int32?>(nil)
    let thread = try? Thread.start(name: "probe") {
      var record = stat()
      let code = stat(point.cPath, &record) == 0 ? 0 : errno
      answer.update { $0 = code }
    }
    guard thread != nil else { return EAGAIN }
    return answer.wait(timeout: patience) { $0 }
  }
}
