import CLinux
import Control
import Glibc
import System

/// What of the machine every mount needs: FUSE, the right to use it, a clock, watches.
enum MachineCheckUp {
  typealias Finding = DoctorReport.Finding

  static var findings: [Finding] { [fuse, rights, clock] }

  private static var fuse: Finding {
    let device = "/dev/fuse"
    let raw = open(device, O_RDWR | O_CLOEXEC)
    if raw >= 0 {
      close(raw)
      return Finding("fuse", .well, "\(device) can be used")
    }
    switch errno {
    case ENOENT, ENODEV, ENXIO:
      return Finding(
        "fuse", .bad, "there is no \(device)",
        "modprobe fuse, as root; in a container: start it with --device /dev/fuse")
    case EACCES, EPERM:
      return Finding(
        "fuse", .bad, "this user may not use \(device)",
        "chmod 666 \(device), as root; in a container: allow the device and SYS_ADMIN")
    default:
      return Finding("fuse", .bad, "\(device): \(SystemError.reason(errno))", "modprobe fuse")
    }
  }

  private static var rights: Finding {
    if geteuid() == 0 { return Finding("rights", .well, "root may mount") }
    let folders = (Environment.get("PATH") ?? "/usr/bin:/bin").split(separator: ":")
    let found = folders.lazy.map { "\($0)/fusermount3" }.first { access($0.cPath, X_OK) == 0 }
    guard let found else {
      return Finding(
        "rights", .bad, "fusermount3 is not there, by which users mount", "apt install fuse3")
    }
    guard let stat = try? Stat(path: found), stat.mode & 0o4000 != 0, stat.uid == 0 else {
      return Finding(
        "rights", .bad, "\(found) is not setuid root, so users cannot mount",
        "chmod u+s \(found), as root")
    }
    return Finding("rights", .well, "users mount by \(found)")
  }

  private static var clock: Finding {
    let now = LocalTime.text(WallClock.seconds)
    // Nothing was released before that day.
    if WallClock.seconds < 1_735_689_600 {
      return Finding(
        "clock", .bad, "the clock says \(now)", "set it: timedatectl set-ntp true, or date -s")
    }
    if clinux_clock_is_kept() == 0 {
      return Finding(
        "clock", .caution, "the clock says \(now), and nobody keeps it right",
        "timedatectl set-ntp true, or install chrony")
    }
    return Finding("clock", .well, "it is \(now)")
  }
}
