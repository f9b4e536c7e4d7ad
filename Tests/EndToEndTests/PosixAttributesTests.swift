import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Attributes, extended ones and locks of own entries, beside a plain folder.
  @Suite struct PosixAttributes {
    /// S19, S42: times, to the nanosecond, and far away ones.
    @Test func timesAgree() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.expectAgreement(host.mount, "times") { trace in
          try trace.write("file", "x")
          symlink("file", trace.path("link"))
          let (now, omit) = (clinux_utime_now, clinux_utime_omit)
          func set(_ name: String, _ access: (Int, Int), _ change: (Int, Int), _ flags: Int32 = 0) {
            let times = [
              timespec(tv_sec: access.0, tv_nsec: access.1),
              timespec(tv_sec: change.0, tv_nsec: change.1),
            ]
            trace.call("utimensat \(name) \(access) \(change)") {
              utimensat(AT_FDCWD, trace.path(name), times, flags)
            }
            noteTimes(name)
          }
          func noteTimes(_ name: String) {
            let stat = try? Stat(at: AT_FDCWD, name: Array(trace.path(name).utf8))
            func shown(_ time: timespec?) -> String {
              // The time of now is not the same twice.
              guard let time else { return "none" }
              let isNow = abs(time.tv_sec - Int(WallClock.seconds)) < 20
              return isNow ? "now" : "\(time.tv_sec) s \(time.tv_nsec) ns"
            }
            trace.note("times of \(name)", "\(shown(stat?.atime)) \(shown(stat?.mtime))")
          }
          set("file", (1_234_567_890, 123_456_789), (987_654_321, 987_654_321))
          set("file", (0, omit), (5, 7))
          set("file", (9, 9), (0, omit))
          set("file", (0, omit), (0, omit))
          set("file", (0, now), (0, now))
          set("file", (0, 2_000_000_000), (0, 0))
          set("file", (-5, 5), (-1, 999_999_999))
          set("file", (1 << 33, 5), (1 << 33, 1))
          set("link", (3, 3), (4, 4), AT_SYMLINK_NOFOLLOW)
          noteTimes("file")
          trace.call("utimes") { utimes(trace.path("file"), nil) }
          noteTimes("file")
          // Set while the file is staged, and kept at its place.
          let staged = trace.open("staged", O_CREAT | O_RDWR, mode: 0o600)
          write(staged, "x", 1)
          let times = [timespec(tv_sec: 0, tv_nsec: 111), timespec(tv_sec: 0, tv_nsec: 222)]
          trace.call("futimens") { futimens(staged, times) }
          trace.call("fchmod") { fchmod(staged, 0o751) }
          close(staged)
          noteTimes("staged")
          // A read-only new file, as git makes them.
          let object = trace.open("object", O_CREAT | O_EXCL | O_RDWR, mode: 0o444)
          trace.call("write") { write(object, "x", 1) }
          trace.call("chmod by path") { chmod(trace.path("object"), 0o440) }
          trace.noteStat("object", object)
          close(object)
          try Files.makeFolder(trace.path("folder"))
          set("folder", (5, 6), (7, 8))
          for change: (Trace) -> Void in [
            { mkdir($0.path("folder/a"), 0o755) },
            { _ = Glibc.rename($0.path("folder/a"), $0.path("folder/b")) },
            { rmdir($0.path("folder/b")) }, { symlink("x", $0.path("folder/link")) },
            { unlink($0.path("folder/link")) }, { try? $0.write("folder/file", "x") },
            { _ = Glibc.rename($0.path("folder/file"), $0.path("other")) },
          ] {
            set("folder", (5, 6), (7, 8))
            change(trace)
            noteTimes("folder")
          }
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S42: every change of a file, its name or its attributes shows in its ctime.
    @Test func changesShowInCtime() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        var path = host.path("file")
        try Files.write(path, "x")
        let changes: [(String, () throws -> Void)] = [
          ("chmod", { try Files.chmod(path, 0o600) }),
          ("write", { try Files.write(path, "y", flags: 0) }),
          ("truncate", { try Files.truncate(path, 0) }),
          ("utimens", { try Files.setModified(path, 5, 5) }),
          ("setxattr", { setxattr(path, "user.x", "1", 1, 0) }),
          (
            "rename",
            {
              try Files.rename(path, host.path("moved"))
              path = host.path("moved")
            }
          ),
        ]
        for (name, change) in changes {
          let before = try Stat(path: path).ctime
          // The kernel's clock for files goes in steps of some milliseconds.
          try eventually("\(name) is seen") {
            try change()
            return try Stat(path: path).ctime > before
          }
        }
      }
    }

    /// S19, S20, S42: modes, owners, masks, and what a share does not have.
    @Test func modesAgree() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.expectAgreement(host.mount, "modes") { trace in
          try trace.write("file", "#!/bin/sh\n")
          func noteMode(_ name: String) {
            let stat = try? Stat(at: AT_FDCWD, name: Array(trace.path(name).utf8))
            trace.note("mode of \(name)", String(stat?.mode ?? 0, radix: 8))
          }
          for mode in [0, 0o7777, 0o644, 0o4755] {
            trace.call("chmod \(mode)") { chmod(trace.path("file"), mode_t(mode)) }
            noteMode("file")
          }
          // Writing takes the right to run as its owner away.
          try Files.write(trace.path("file"), "#!/bin/sh\nexit 7\n", flags: 0)
          noteMode("file")
          trace.call("run") { system(trace.path("file")) }
          trace.call("chmod missing") { chmod(trace.path("missing"), 0o600) }
          try Files.makeFolder(trace.path("group"))
          chmod(trace.path("group"), 0o2775)
          mkdir(trace.path("group/sub"), 0o755)
          noteMode("group/sub")
          // This bit is not for others.
          for name in ["group/sub", "group"] { chmod(trace.path(name), 0o755) }
          for name in ["file", "group"] {
            trace.call("chown nobody") { chown(trace.path(name), uid_t.max, gid_t.max) }
            trace.call("chown oneself") { chown(trace.path(name), getuid(), getgid()) }
            trace.call("lchown oneself") { lchown(trace.path(name), getuid(), gid_t.max) }
            for mode in [R_OK, W_OK, X_OK, F_OK] {
              trace.call("access \(mode)") { access(trace.path(name), mode) }
            }
          }
          trace.call("access missing") { access(trace.path("missing"), F_OK) }
          let (done, answer) = (trace.path("umask"), "umask 077; touch file; mkdir folder")
          try Files.makeFolder(done)
          trace.call("umask") { system("cd '\(done)' && \(answer)") }
          noteMode("umask/file")
          noteMode("umask/folder")
          trace.call("a program") { system("cp /bin/sleep '\(trace.path("sleep"))'") }
          trace.call("it runs") { system("'\(trace.path("sleep"))' 0") }
        }
        let path = host.path("modes/file")
        #expect(Files.errorOf { try check(link(path, host.path("hard link"))) } == EPERM)
        #expect(Files.errorOf { try check(mkfifo(host.path("pipe"), 0o600)) } == EPERM)
        #expect(
          Files.errorOf { try check(mknod(host.path("node"), 0o600 | S_IFCHR, 259)) } == EPERM)
        #expect(Files.errorOf { try bindSocket(in: host.mount) } == EPERM)
        let running = try RunningProcess(
          [host.path("modes/sleep"), "60"], output: fixture.newPath("out"),
          errors: fixture.newPath("err"))
        try eventually("it runs") {
          Files.errorOf { _ = try Files.open(host.path("modes/sleep"), O_WRONLY) } == ETXTBSY
        }
        running.kill(SIGKILL)
        _ = try running.wait()
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S42: who is not root and changes a file takes the right to run as its owner from it; `chown`
    /// does, by whomever.
    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func changesTakePrivilegesAway() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host(["-o", "allow_other"])
        try fixture.expectAgreement(host.mount, "privileges") { trace in
          try Files.chmod(trace.folder, 0o777)
          try trace.write("file", "0123456789")
          let changes = [
            "printf x >> file", "printf x | dd of=file conv=notrunc status=none", ": > file",
            "truncate -s 5 file", "fallocate -l 100 file", "cat file", "true",
          ]
          for mode in [0o6777, 0o6767, 0o4777, 0o2777, 0o777] {
            let others = mode == 0o777 ? [changes[0]] : changes
            let cases =
              others.map { ($0, "--reuid=65534 --regid=65534") }
              + [changes[0], changes[3]].map { ($0, "--reuid=0") }
            for (change, person) in cases {
              chmod(trace.path("file"), mode_t(mode))
              trace.call("\(change) by \(person) at \(mode)") {
                system("cd '\(trace.folder)' && setpriv --clear-groups \(person) sh -c '\(change)'")
              }
              // First the mode alone, which the kernel need not ask us for.
              let told = try fixture.run("stat", "-c", "%a", trace.path("file")).output
              trace.note("told", String(decoding: told, as: UTF8.self))
              trace.note("mode", (try? Stat(path: trace.path("file")).permissions) ?? 0)
            }
            chmod(trace.path("file"), mode_t(mode))
            chown(trace.path("file"), getuid(), getgid())
            trace.note("chowned", (try? Stat(path: trace.path("file")).permissions) ?? 0)
          }
        }
      }
    }

    /// S48: numbers, links and blocks; the same after a restart.
    @Test func numbersStay() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try fixture.expectAgreement(host.mount, "numbers") { trace in
          for folder in ["a", "a/b", "a/c"] { try Files.makeFolder(trace.path(folder)) }
          func links(_ name: String) {
            trace.note("links of \(name)", (try? Stat(path: trace.path(name)).nlink) ?? 0)
          }
          links("a")
          try trace.write("a/file", "x")
          symlink("file", trace.path("a/link"))
          links("a")
          links("a/file")
          try Files.rename(trace.path("a/c"), trace.path("c"))
          links("a")
          links(".")
          try Files.removeFolder(trace.path("a/b"))
          links("a")
          var seen: Set<UInt64> = []
          func look(_ path: String) {
            if let stat = try? Stat(path: trace.path(path)) { seen.insert(stat.ino) }
          }
          let new = trace.open("new", O_CREAT | O_RDWR)
          look("new")
          write(new, "x", 1)
          fsync(new)
          look("new")
          close(new)
          look("new")
          try trace.write("new", "again")
          look("new")
          try Files.rename(trace.path("new"), trace.path("a/renamed"))
          look("a/renamed")
          trace.note("numbers of one file", seen.count)
          try Files.write(trace.path("blocks"), [UInt8](repeating: 1, count: 100_000))
          trace.note("blocks", try Stat(path: trace.path("blocks")).blocks)
        }
        let names = ["numbers", "numbers/a/renamed", "numbers/a/link", "numbers/blocks"]
        let before = try names.map { try Stat(at: AT_FDCWD, name: Array(host.path($0).utf8)).ino }
        #expect(Set(before).count == names.count)
        _ = try host.leave()
        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        let after = try names.map { try Stat(at: AT_FDCWD, name: Array(host.path($0).utf8)).ino }
        #expect(before == after)
      }
    }
  }
}

/// Throws the errno of a call that failed.
func check(_ result: Int32) throws(SystemError) {
  if result != 0 { throw SystemError("a call") }
}

private func bindSocket(in folder: String) throws(SystemError) {
  let socket = OwnedDescriptor(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { space in
    space.copyBytes(from: Array("\(folder)/socket".utf8).prefix(space.count - 1))
  }
  let result = withUnsafePointer(to: &address) { pointer in
    // SAFETY: a sockaddr_un is a sockaddr of this length.
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(
        socket.raw, __CONST_SOCKADDR_ARG(__sockaddr__: $0),
        socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
  try check(result)
}
