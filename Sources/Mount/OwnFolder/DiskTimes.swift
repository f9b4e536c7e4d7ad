import CLinux
import Glibc
package import Protocol
package import System

extension FileTime {
  /// The time of day.
  static var now: FileTime { FileTime(WallClock.now) }

  /// As a file system tells it; nanoseconds that are none count as the nearest that are.
  init(_ time: timespec) {
    let greatest = Int(Self.nanosecondsPerSecond) - 1
    let nanoseconds = UInt32(min(max(0, time.tv_nsec), greatest))
    self = FileTime(seconds: Int64(time.tv_sec), nanoseconds: nanoseconds) ?? FileTime(seconds: 0)
  }

  /// As system calls want it.
  var timespec: Glibc.timespec {
    Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
  }
}

extension Stat {
  /// Last change of the content.
  package var modified: FileTime { FileTime(mtime) }
  /// Last change of content or attributes.
  var changed: FileTime { FileTime(ctime) }
  /// Last access.
  var accessed: FileTime { FileTime(atime) }
}
