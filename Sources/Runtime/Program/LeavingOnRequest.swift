import Control
import Glibc
import Mount
import System

/// `fsharectl leave`.
extension MountProgram {
  /// Leaves the group where a request asks for that: `leave` unless programs use the mount,
  /// `leave-now` as a signal does. Returns: false where it asks for something else. Never waits.
  func leave(
    _ request: ControlRequest, _ reply: @escaping @Sendable (ControlResponse) -> Void
  ) -> Bool {
    switch (request.command, request.arguments.count) {
    case ("leave-now", 0):
      reply(.done("leaving"))
      endRequested()
    case ("leave", 0):
      guard let session = fuse.withLock({ $0 }) else {
        reply(.done("leaving"))
        endRequested()
        return true
      }
      // fusermount3 has to run.
      let thread = try? Thread.start(name: "leaving") { [window] in
        // It uses the mount itself.
        window.pause()
        reply(
          session.unmountUnused()
            ? .done("leaving") : .refused("programs of this machine use the mount"))
      }
      if thread == nil { reply(.refused("no thread for it: the machine is out of memory")) }
    default: return false
    }
    return true
  }
}

extension RunningRecord.Role {
  /// What a mount is to its group.
  init(_ role: StatusReport.Role) {
    switch role {
    case .host: self = .host
    case .master: self = .master
    case .client: self = .client
    }
  }
}
