import Glibc
import Mount
import System

/// What fuse3 lets those mount who are not root.
enum FuseConfiguration {
  private static let path = "/etc/fuse.conf"

  /// Throws: an ending with code 64 where others were to use the mount, and fuse3 would refuse.
  static func check(_ access: KernelMount.Access) throws(Ending) {
    let word: String
    switch access {
    case .mounter: return
    case .root: word = "allow_root"
    case .everyone: word = "allow_other"
    }
    if geteuid() == 0 || allowsOthers { return }
    throw Ending(
      .usage,
      "-o \(word): only root may, unless \(path) has a line 'user_allow_other': add it, as root")
  }

  private static var allowsOthers: Bool {
    guard let bytes = try? File.readRegular(path, limit: 1 << 20) else { return false }
    return bytes.split(separator: UInt8(ascii: "\n")).contains { line in
      line.filter { $0 > UInt8(ascii: " ") } == Array("user_allow_other".utf8)
    }
  }
}
