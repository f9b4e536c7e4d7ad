import Glibc
import System

/// This machine's users and groups, by name or number.
package enum Users {
  /// A user's number. Call at the start, from one thread.
  static func user(_ text: String) -> UInt32? {
    if let number = number(text) { return number }
    // SAFETY: static storage, read at once.
    return getpwnam(text.cPath)?.pointee.pw_uid
  }

  /// A group's number. Call at the start, from one thread.
  static func group(_ text: String) -> UInt32? {
    if let number = number(text) { return number }
    // SAFETY: static storage, read at once.
    return getgrnam(text.cPath)?.pointee.gr_gid
  }

  /// Who owns nothing; the number that the kernel has for owners it does not know, where the
  /// machine has no such name. Call at the start, from one thread.
  static var nobody: UInt32 { user("nobody") ?? 65_534 }

  /// The highest number says nobody.
  private static func number(_ text: String) -> UInt32? {
    UInt32(text).flatMap { $0 == .max ? nil : $0 }
  }

  /// Goes on as a user, for good: with the user's groups and home folder. Throws: an ending with
  /// code 64 where there is no such user, 1 where this process may not. Call at the start, from one
  /// thread.
  package static func become(_ name: String) throws(Ending) {
    // SAFETY: static storage, copied at once.
    guard let user = user(name), let record = getpwuid(user)?.pointee else {
      throw Ending(.usage, "-o setuid=\(name): there is no such user")
    }
    guard initgroups(record.pw_name, record.pw_gid) == 0, setgid(record.pw_gid) == 0,
      setuid(user) == 0
    else { throw Ending(.failure, "-o setuid=\(name): \(SystemError.reason(errno))") }
    setenv("HOME", record.pw_dir, 1)
    for variable in ["XDG_STATE_HOME", "XDG_DATA_HOME"] { unsetenv(variable) }
  }
}
