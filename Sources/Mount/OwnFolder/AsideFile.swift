package import Protocol
import System

/// A file that was copied in, and is complete, but cannot be moved into place: it stays in the
/// staging folder, and is tried again at each start.
package struct AsideFile: Equatable, Sendable {
  /// Its name in the staging folder.
  let staged: [UInt8]
  /// Where it belongs; nil where that could not be read.
  package let target: SharePath?
  /// The errno of what was tried.
  let code: Int32

  /// Why it is there, in words that follow `but`.
  package var words: String {
    target == nil
      ? "where it belongs cannot be read (\(SystemError.reason(code)))"
      : "cannot be moved into place (\(SystemError.reason(code)))"
  }
}

extension OwnFolder {
  /// Where a file lies that was set aside.
  package func path(of aside: AsideFile) -> String {
    "\(stagingPath)/\(String(decoding: aside.staged, as: UTF8.self))"
  }
}
