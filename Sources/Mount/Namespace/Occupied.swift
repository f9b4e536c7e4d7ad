import CLinux
import Glibc
package import Protocol
import System

/// Why something that lies in the own folder is not shared.
package enum OccupiedReason: Equatable, Sendable {
  case pipe
  case socket
  case device
  /// A symlink whose target is not in the share.
  case linkLeadsOut
  /// Something is mounted there.
  case otherFileSystem
  /// A file of more than `Limits.fileSize` bytes.
  case tooLarge
  /// This process may not read the file, or not list the directory and reach what is in it: the
  /// errno.
  case unreadable(Int32)
  /// Its path in the share would have more than `Limits.path` bytes.
  case pathTooLong
  /// Its path is somebody else's, and every conflict name would be too long or is taken.
  case noConflictName
  /// Its path is somebody else's, and it cannot be given a conflict name: the errno.
  case cannotStepAside(Int32)
  /// The master did not take it.
  case refused(Rejection)

  /// In words that follow `not shared: `.
  package var words: String {
    switch self {
    case .pipe: "it is a pipe"
    case .socket: "it is a socket"
    case .device: "it is a device"
    case .linkLeadsOut: "the symlink leads out of the share"
    case .otherFileSystem: "another file system is mounted there"
    case .tooLarge: "it is larger than a file of the share can be"
    case .unreadable(let code): "this fsharefs cannot read it (\(SystemError.reason(code)))"
    case .pathTooLong: "its path is longer than \(Limits.path) bytes"
    case .noConflictName: "its path is somebody else's, and no other name for it fits"
    case .cannotStepAside(let code):
      "its path is somebody else's, and it cannot be renamed (\(SystemError.reason(code)))"
    case .refused(let rejection): rejection.words
    }
  }

  /// The errno of whoever opens it, or lists it, or asks for what is in it.
  var code: Int32 {
    switch self {
    case .pipe, .socket, .device: ENXIO
    case .linkLeadsOut: EPERM
    case .otherFileSystem: EXDEV
    case .tooLarge: EFBIG
    case .unreadable(let code), .cannotStepAside(let code): code
    case .pathTooLong: ENAMETOOLONG
    case .noConflictName: EEXIST
    case .refused(let rejection): rejection.code
    }
  }

  /// Whether it says nothing of what lies there, only of whose the path is.
  var isOfPath: Bool {
    switch self {
    case .noConflictName, .cannotStepAside: true
    default: false
    }
  }

  /// Whether it may be shared somewhere else in the tree.
  var dependsOnPath: Bool { isOfPath || self == .linkLeadsOut || self == .pathTooLong }
}

/// A name of the own folder that is there and not shared: shown to its owner as it is on the disk,
/// taken for whoever wants the name, never opened and never told of.
struct Occupied: Equatable, Sendable {
  let reason: OccupiedReason
  var attributes: Attributes
  /// As it was when it was looked at.
  var record: FileRecord
  /// Where a symlink points.
  let target: [UInt8]

  init(_ reason: OccupiedReason, _ stat: Stat, target: [UInt8] = []) {
    self.reason = reason
    attributes = Attributes(stat)
    record = FileRecord(stat)
    self.target = target
  }

  /// Whether the kernel may go on with the node that shows `other`.
  func isSameNode(_ other: Occupied) -> Bool {
    reason == other.reason && target == other.target && record.isSameFile(other.record)
      && attributes.format == other.attributes.format
  }

  /// The errno of whoever would make something below it: a directory of others may show there.
  var codeBelow: Int32 { attributes.kind == .directory ? reason.code : ENOTDIR }
}

extension OwnedDescriptor {
  /// Whether what lies at a name of this open directory keeps this process from reading it: the
  /// errno; nil where it does not. What it cannot find out counts as readable: then reading says
  /// so.
  func obstacle(at name: [UInt8], isDirectory: Bool) -> Int32? {
    let wanted = isDirectory ? R_OK | X_OK : R_OK
    if faccessat(raw, name.cPath, wanted, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0 { return nil }
    return errno == EACCES || errno == EPERM ? errno : nil
  }
}
