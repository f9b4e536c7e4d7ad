import Glibc
package import System

/// Why a file of the state folder cannot be used: one line, with what to type.
package struct StateFault: Error, Equatable, CustomStringConvertible {
  /// What kind of trouble it is.
  package enum Reason: Equatable, Sendable {
    /// It is not what was written.
    case damaged
    /// A later version wrote it: it is never written over.
    case newer
    /// Others may read or change it.
    case exposed
    /// A system call failed, with this `errno`.
    case failed(Int32)
  }

  package let reason: Reason
  package let description: String

  init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }

  /// A file that is not what was written. `what`: how that shows, if there is more to say.
  package static func damaged(_ kind: StateKind, _ path: String, _ what: String? = nil)
    -> StateFault
  {
    StateFault(
      .damaged,
      "\(path) is damaged\(what.map { " (\($0))" } ?? ""): \(kind.remedy(path))")
  }

  /// A file of a later format. `format`: which one it says.
  static func newer(_ path: String, format: Int) -> StateFault {
    StateFault(
      .newer,
      "\(path) is of format \(format), and this version knows up to \(StateKind.format): start the "
        + "newer version that wrote it, or put an older copy of it back")
  }

  /// A call that failed, with what to do where that is known.
  package init(_ error: SystemError) {
    let remedy: String? =
      switch error.code {
      case ENOSPC, EDQUOT: "make room there"
      case EROFS: "make it writable"
      case EIO: "the disk fails; put a copy of the folder on another one"
      default: nil
      }
    self.init(.failed(error.code), "\(error)\(remedy.map { ": \($0)" } ?? "")")
  }
}
