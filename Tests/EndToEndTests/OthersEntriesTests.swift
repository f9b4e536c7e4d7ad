import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct OthersEntries {
    /// S3, S4, S49: everything that would change somebody else's entries is refused at once, root
    /// or not, also while the hub and the owner do not answer.
    @Test func everyChangeIsRefusedAtOnce() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for folder in ["theirs", "theirs/folder", "theirs/full"] {
          try Files.makeFolder(host.path(folder))
        }
        try Files.write(host.path("theirs/file"), "not yours")
        try Files.write(host.path("theirs/full/inside"), "not yours")
        try Files.symlink(host.path("theirs/link"), to: "file")
        try Files.makeFolder(guest.path("mine"))
        try Files.write(guest.path("mine/file"), "mine")
        try fixture.waitForEquality(host.mount, guest.mount)
        let before = try Tree(guest.mount)
        host.process.kill(SIGSTOP)
        defer { host.process.kill(SIGCONT) }
        for change in Self.changes(guest.path("theirs"), guest.path("mine")) {
          errno = 0
          let ((result, code), time) = timed { () -> (Int, Int32) in
            let result = change.call()
            return (result, errno)
          }
          #expect(result < 0, "\(change.name)")
          #expect(change.codes.contains(code), "\(change.name): \(SystemError.reason(code))")
          #expect(time < .seconds(1), "\(change.name) took \(time)")
        }
        host.process.kill(SIGCONT)
        try eventually("it is all as it was") { try Tree(guest.mount) == before }
        try fixture.waitForEquality(host.mount, guest.mount)
        #expect(try Files.text(host.own + "/theirs/file") == "not yours")
      }
    }

    /// S4, S49: `rm -rf` of the whole share takes what is one's own, and leaves the other's bytes
    /// as they are.
    @Test(arguments: ["rm -rf \"$1\"/* \"$1\"/.[!.]*", "find \"$1\" -mindepth 1 -delete"])
    func removingTheShareRemovesOnesOwn(_ script: String) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Samples.folder(host.path("folder"), seed: 21)
        try Files.write(host.path(".hidden"), "hidden")
        for open in ["folder/nested/deeper", "folder/empty folder"] {
          try Files.chmod(host.path(open), 0o777)
        }
        let before = try Tree(host.mount)
        try eventually("the guest sees it") { try Tree(guest.mount) == before }
        try Samples.folder(guest.path("own"), seed: 22)
        try Files.write(guest.path("folder/nested/deeper/own"), "among theirs")
        try Files.makeFolder(guest.path("folder/empty folder/own"))
        try fixture.waitForEquality(host.mount, guest.mount)
        #expect(try fixture.shell(script, guest.mount).ending == .exit(1))
        try eventually("one's own is gone") { try Tree(guest.mount) == before }
        try eventually("for both") { try Tree(host.mount) == before }
        #expect(try Tree(host.own).difference(before).contains("nested") == false)
        #expect(try Files.list(guest.own).contains("own") == false)
      }
    }

    private struct Change {
      let name: String
      let codes: Set<Int32>
      let call: () -> Int
    }

    /// Every call that would change something of `theirs`; `mine` is one's own.
    private static func changes(_ theirs: String, _ mine: String) -> [Change] {
      let (file, folder, full, link) = (
        "\(theirs)/file", "\(theirs)/folder", "\(theirs)/full", "\(theirs)/link"
      )
      var all: [Change] = []
      func add(_ name: String, _ codes: Set<Int32>, _ call: @escaping () -> Int32) {
        all.append(Change(name: name, codes: codes) { call() < 0 ? -1 : 0 })
      }
      for flags in [
        O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND, O_WRONLY | O_CREAT,
        O_RDWR | O_DIRECT,
      ] {
        add("open with \(flags)", [EACCES]) { open(file, flags, 0o644) }
      }
      add("open anew", [EEXIST]) { open(file, O_CREAT | O_EXCL | O_RDWR, 0o644) }
      add("truncate", [EACCES, EPERM]) { truncate(file, 0) }
      let times = [timespec(tv_sec: 1, tv_nsec: 1), timespec(tv_sec: 1, tv_nsec: 1)]
      for path in [file, folder, full, theirs] {
        add("chmod \(path)", [EPERM]) { chmod(path, 0o777) }
        add("chown \(path)", [EPERM]) { chown(path, 1_234, 1_234) }
        add("utimensat \(path)", [EPERM]) { utimensat(AT_FDCWD, path, times, 0) }
        add("touch \(path)", [EPERM]) { utimensat(AT_FDCWD, path, nil, 0) }
        add("setxattr \(path)", [EPERM]) { setxattr(path, "user.x", "1", 1, 0) }
        add("removexattr \(path)", [EPERM, ENODATA]) { removexattr(path, "user.x") }
        add("rename \(path)", [EPERM]) { rename(path, mine + "/stolen") }
        add("rename \(path) in place", [EPERM]) { rename(path, path + "2") }
        add("unlink \(path)", path == file ? [EPERM] : [EPERM, EISDIR]) { unlink(path) }
        add("rmdir \(path)", path == file ? [EPERM, ENOTDIR] : [EPERM, ENOTEMPTY]) { rmdir(path) }
        add("mkdir \(path)", [EEXIST]) { mkdir(path, 0o755) }
        add("symlink \(path)", [EEXIST]) { symlink("x", path) }
        add("exchange \(path)", [EPERM, EINVAL]) {
          clinux_renameat2(AT_FDCWD, path, AT_FDCWD, mine + "/file", clinux_rename_exchange)
        }
        for flags in [0, clinux_rename_noreplace] {
          add("own onto \(path) \(flags)", [EPERM, EEXIST, EISDIR, ENOTEMPTY]) {
            clinux_renameat2(AT_FDCWD, mine + "/file", AT_FDCWD, path, flags)
          }
        }
      }
      add("own folder onto theirs", [EPERM, ENOTEMPTY]) { rename(mine, folder) }
      add("hard link", [EPERM]) { Glibc.link(file, mine + "/hard link") }
      add("hard link onto it", [EEXIST, EPERM]) { Glibc.link(mine + "/file", file) }
      add("lchown of a link", [EPERM]) { lchown(link, 1_234, 1_234) }
      add("times of a link", [EPERM]) { utimensat(AT_FDCWD, link, times, AT_SYMLINK_NOFOLLOW) }
      add("unlink of a link", [EPERM]) { unlink(link) }
      add("rename of a link", [EPERM]) { rename(link, mine + "/stolen") }
      addByDescriptor(file, folder, times, add)
      return all
    }

    private static func addByDescriptor(
      _ file: String, _ folder: String, _ times: [timespec],
      _ add: (String, Set<Int32>, @escaping () -> Int32) -> Void
    ) {
      func opened(_ path: String, _ call: (Int32) -> Int32) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        let result = call(descriptor)
        let code = errno
        close(descriptor)
        errno = code
        return result
      }
      for path in [file, folder] {
        add("fchmod \(path)", [EPERM]) { opened(path) { fchmod($0, 0o777) } }
        add("fchown \(path)", [EPERM]) { opened(path) { fchown($0, 1_234, 1_234) } }
        add("futimens \(path)", [EPERM]) { opened(path) { futimens($0, times) } }
        add("fsetxattr \(path)", [EPERM]) { opened(path) { fsetxattr($0, "user.x", "1", 1, 0) } }
      }
      add("ftruncate", [EINVAL, EBADF, EPERM]) { opened(file) { ftruncate($0, 0) } }
      add("write to a reader", [EBADF]) { opened(file) { Int32(write($0, "x", 1)) } }
      add("fallocate", [EBADF]) { opened(file) { fallocate($0, 0, 0, 10) } }
      add("copy to a reader", [EBADF]) {
        opened(file) { Int32(clamping: clinux_copy_file_range($0, 0, $0, 5, 1)) }
      }
      add("a shared mapping for writing", [EACCES]) {
        opened(file) {
          mmap(nil, 1, PROT_READ | PROT_WRITE, MAP_SHARED, $0, 0) == MAP_FAILED ? -1 : 0
        }
      }
      add("unlinkat", [EPERM]) { opened(folder) { unlinkat($0, "../file", 0) } }
      add("a mark that it never changes", [ENOTTY, EPERM, ENOSYS]) {
        // FS_IOC_SETFLAGS with FS_IMMUTABLE_FL.
        opened(file) { descriptor in
          var flags: Int = 0x10
          return ioctl(descriptor, 0x4008_6602, &flags)
        }
      }
    }
  }
}
