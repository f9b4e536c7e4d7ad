import Glibc
import System
import Testing

/// Making things for another user of the machine.
@Suite(.enabled(if: geteuid() == 0, "only root can be somebody else"))
struct CallerTests {
  @Test(
    "what is made belongs to the caller, wherever root may make it, and the thread is root again")
  func making() throws {
    let folder = "/tmp/fsharefs-caller-\(SecureRandom.uint64())"
    #expect(mkdir(folder, 0o700) == 0)
    defer { for name in ["/a", "/b", ""] { remove(folder + name) } }
    #expect(chown(folder, 1_001, 1_001) == 0)
    let caller = Caller(user: 1_000, group: 2_000, mask: 0o022)
    #expect(!caller.isProcess)
    try caller.making { () throws(SystemError) in
      try retryingOnInterrupt("mkdir") { mkdir(folder + "/a", 0o700) }
    }
    let made = try Stat(path: folder + "/a")
    #expect(made.uid == 1_000 && made.gid == 2_000)
    #expect(throws: SystemError(code: EEXIST, call: "mkdir")) {
      try caller.making { () throws(SystemError) in
        try retryingOnInterrupt("mkdir") { mkdir(folder + "/a", 0o700) }
      }
    }
    #expect(mkdir(folder + "/b", 0o700) == 0)
    let own = try Stat(path: folder + "/b")
    #expect(own.uid == 0 && own.gid == getegid())
  }

  @Test("nobody else's rights but those to pass by permissions are kept")
  func rights() throws {
    let caller = Caller(user: 1_000, group: 1_000, mask: 0)
    let folder = "/tmp/fsharefs-caller-\(SecureRandom.uint64())"
    #expect(mkdir(folder, 0o700) == 0)
    defer { rmdir(folder) }
    for call in [{ chmod(folder, 0o777) }, { chown(folder, 1_000, 1_000) }] {
      #expect(throws: SystemError(code: EPERM, call: "change")) {
        try caller.making { () throws(SystemError) in try retryingOnInterrupt("change", call) }
      }
    }
    #expect(chmod(folder, 0o777) == 0)
  }
}
