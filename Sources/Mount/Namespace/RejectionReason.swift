import Glibc
import Protocol

/// The master's word against an own entry, as programs and people hear it.
extension Rejection {
  /// The errno.
  var code: Int32 {
    switch self {
    case .exists, .notADirectory, .isADirectory, .notTheOwner, .unknownEntry: EEXIST
    case .listFull: ENOSPC
    case .shareFull: EDQUOT
    case .pathTooLong, .tooDeep: ENAMETOOLONG
    case .linkLeadsOut, .impossible, .tooMuch, .outdated: EPERM
    }
  }

  /// In words.
  var words: String {
    switch self {
    case .exists, .notADirectory, .isADirectory, .notTheOwner, .unknownEntry: "the path is taken"
    case .listFull: "the list of the group is full"
    case .shareFull:
      "this member shares as much as one may (the master's --member-entries, --member-paths)"
    case .pathTooLong: "its path is longer than \(Limits.path) bytes"
    case .tooDeep: "its path has more parts than the master takes (--max-depth)"
    case .linkLeadsOut: "the symlink leads out of the share from there"
    case .impossible: "no such thing can be told to anybody"
    case .tooMuch: "it is more than the group takes at once"
    case .outdated: "a later process with this device's private id has been there"
    }
  }
}
