import Glibc
import System

/// The state folder of a mount by mount(8) that names none: one for each mountpoint, so that no two
/// lines of fstab meet.
package enum MountpointState {
  /// Where those of the machine lie; the units of `fsharefs@` use the same.
  private static let base = "/var/lib/fsharefs"

  /// The folder for a mountpoint: root's among those of the machine, else in the user's own state.
  /// Throws: an ending with code 73.
  package static func folder(for mountpoint: String) throws(Ending) -> String {
    let name = escaped(settled(mountpoint))
    if geteuid() != 0 { return XDG.state + "/mounts/" + name }
    do throws(SystemError) { try File.makeDirectories(base, mode: 0o755) } catch {
      throw Ending(.folder, "state folder \(base): \(error)")
    }
    return "\(base)/\(name)"
  }

  /// The mountpoint without links. Of a dead mount, which answers nothing, the folder that it lies
  /// in is looked at alone.
  private static func settled(_ path: String) -> String {
    if let resolved = File.resolved(path) { return resolved }
    let parts = path.pathBytes.split(separator: UInt8(ascii: "/"))
    guard let name = parts.last, let folder = File.resolved(File.folder(of: path)) else {
      return path
    }
    return folder + "/" + String(pathBytes: name)
  }

  /// A path as one name, as `systemd-escape --path` makes it.
  package static func escaped(_ path: String) -> String {
    let parts = path.pathBytes.split(separator: UInt8(ascii: "/"))
    if parts.isEmpty { return "-" }
    var name = ""
    for (index, byte) in parts.joined(separator: [UInt8(ascii: "/")]).enumerated() {
      switch byte {
      case UInt8(ascii: "/"): name += "-"
      case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "_"):
        name +=
          index == 0 && byte == UInt8(ascii: ".")
          ? "\\x2e" : String(Unicode.Scalar(byte))
      case _ where isLetterOrDigit(byte): name += String(Unicode.Scalar(byte))
      default: name += (byte < 0x10 ? "\\x0" : "\\x") + String(byte, radix: 16)
      }
    }
    return name
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
