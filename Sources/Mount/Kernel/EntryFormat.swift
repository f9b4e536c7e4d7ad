import CLinux
import Protocol

extension EntryKind {
  /// The kind's bits of `st_mode`.
  var format: UInt32 {
    switch self {
    case .file: clinux_s_ifreg
    case .directory: clinux_s_ifdir
    case .symlink: clinux_s_iflnk
    }
  }
}
