import Glibc

/// The number by which the end is told to who started the program.
package enum ExitStatus {
  /// mount(8) hands on what its helper ended with, and has codes of its own: 1 for a wrong word,
  /// 32 for all else that kept it from mounting.
  package static func of(_ code: ExitCode, isByMount: Bool) -> Int32 {
    guard isByMount else { return code.rawValue }
    return switch code {
    case .success: 0
    case .usage: 1
    default: 32
    }
  }
}
