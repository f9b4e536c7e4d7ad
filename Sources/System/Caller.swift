import CLinux
import Glibc

/// Who asks for something on this machine, as the kernel says with the request. Nothing else of the
/// asking process is ever looked up: it may wait for the answer with locks held.
package struct Caller: Equatable, Sendable {
  /// The user that it acts on files as.
  package let user: UInt32
  /// The group that it acts on files as.
  package let group: UInt32
  /// Permission bits that what it makes does not get.
  package let mask: UInt32

  /// A caller with a user, a group and a mask (umask(2)).
  package init(user: UInt32, group: UInt32, mask: UInt32) {
    self.user = user
    self.group = group
    self.mask = mask
  }

  /// This process itself.
  package static let process = Caller(user: geteuid(), group: getegid(), mask: 0)

  /// All groups of this process.
  package static let processGroups: Set<UInt32> = {
    let most = max(0, getgroups(0, nil))
    var groups = [gid_t](repeating: 0, count: Int(most))
    let count = getgroups(most, &groups)
    return Set(groups.prefix(Int(max(0, count)))).union([getegid()])
  }()

  /// Whether it is this process' own user.
  package var isProcess: Bool { user == Self.process.user }

  /// Runs `body` so that what it makes belongs to the caller, where this process is root; else it
  /// can only belong to this process. Permissions count as those of this process: the kernel has
  /// checked the caller's. Only the calling thread changes.
  @discardableResult
  package func making<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let own = Self.process
    if own.user != 0 || (user == own.user && group == own.group) { return try body() }
    defer {
      // A thread that went on as somebody else would do others' work as him.
      precondition(
        clinux_act_on_files_as(own.user, own.group) == 0, "a thread gets its own rights back")
    }
    guard clinux_act_on_files_as(user, group) == 0 else {
      throw SystemError(code: EPERM, call: "act as user \(user)")
    }
    return try body()
  }
}
