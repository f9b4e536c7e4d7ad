import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Extended attributes and locks of own files, beside a plain folder.
  @Suite struct PosixExtended {
    /// S21: attributes that programs set for themselves are kept in the own file, and only there.
    @Test func extendedAttributesAgree() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try fixture.expectAgreement(host.mount, "attributes") { trace in
          try trace.write("file", "x")
          try Files.makeFolder(trace.path("folder"))
          symlink("file", trace.path("link"))
          let staged = trace.open("staged", O_CREAT | O_RDWR, mode: 0o400)
          let (create, replace) = (Int32(XATTR_CREATE), Int32(XATTR_REPLACE))
          for name in ["file", "folder", "staged", "link"] {
            let path = trace.path(name)
            func set(_ key: String, _ value: String, _ flags: Int32 = 0) {
              trace.call("set \(key) of \(name)") {
                lsetxattr(path, key, value, value.utf8.count, flags)
              }
            }
            func get(_ key: String, room: Int = 100) {
              var value = [UInt8](repeating: 0, count: room)
              let count = trace.call("get \(key) of \(name)") { lgetxattr(path, key, &value, room) }
              if count > 0, room > 0 { trace.note("value", Array(value[..<count])) }
            }
            func list(room: Int = 1_000) {
              var names = [UInt8](repeating: 0, count: room)
              let count = trace.call("list of \(name)") {
                names.withUnsafeMutableBytes { llistxattr(path, $0.baseAddress, room) }
              }
              if count > 0, room > 0 {
                trace.note(
                  "names", names[..<count].split(separator: 0).map { "\(Array($0))" }.sorted())
              }
            }
            list()
            set("user.a", "1")
            set("user.a", "2", create)
            set("user.b", "2", replace)
            set("user.a", "three", replace)
            get("user.a")
            get("user.a", room: 0)
            get("user.a", room: 2)
            get("user.none")
            set("user.empty", "")
            get("user.empty")
            list()
            list(room: 0)
            list(room: 3)
            set("user." + String(repeating: "n", count: 250), "1")
            set("user." + String(repeating: "n", count: 251), "1")
            set("user.", "1")
            set("nonsense", "1")
            trace.call("remove") { lremovexattr(path, "user.a") }
            trace.call("remove again") { lremovexattr(path, "user.a") }
            list()
          }
          write(staged, "x", 1)
          close(staged)
          var value = [UInt8](repeating: 0, count: 10)
          trace.call("kept at its place") {
            getxattr(trace.path("staged"), "user.empty", &value, 10)
          }
        }
        let path = host.path("attributes/file")
        #expect(Files.errorOf { try check(setxattr(path, "security.x", "1", 1, 0)) } == ENOTSUP)
        #expect(Files.errorOf { try check(setxattr(path, "trusted.x", "1", 1, 0)) } == ENOTSUP)
        for name in ["security.capability", "system.posix_acl_access", "trusted.x"] {
          #expect(getxattr(path, name, nil, 0) == -1 && errno == ENOTSUP)
        }
        let own = host.own + "/attributes/file"
        #expect(setxattr(path, "user.seen", "1", 1, 0) == 0)
        #expect(getxattr(own, "user.seen", nil, 0) == 1)
        // They stay here, and nobody needs to fetch the file again.
        let theirs = guest.path("attributes/file")
        try fixture.waitFor(theirs, "x")
        let number = try Stat(path: theirs).ino
        #expect(getxattr(theirs, "user.seen", nil, 0) == -1 && errno == ENODATA)
        #expect(listxattr(theirs, nil, 0) == 0)
        #expect(setxattr(theirs, "user.x", "1", 1, 0) == -1 && errno == EPERM)
        #expect(removexattr(theirs, "user.seen") == -1 && errno == EPERM)
        #expect(setxattr(path, "user.more", "1", 1, 0) == 0)
        try fixture.waitForSameList(host, guest)
        #expect(try Stat(path: theirs).ino == number)
        #expect(try Files.text(theirs) == "x")
      }
    }

    /// S22, S42: locks of whole files and of ranges, of processes and of descriptors; some wait.
    @Test func locksAgree() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, "locks") { trace in
          try trace.write("file", "locked")
          let one = trace.open("file", O_RDWR)
          let other = trace.open("file", O_RDWR)
          trace.call("flock") { flock(one, LOCK_EX) }
          trace.call("flock of another") { flock(other, LOCK_EX | LOCK_NB) }
          trace.call("let go") { flock(one, LOCK_UN) }
          trace.call("flock of another") { flock(other, LOCK_EX | LOCK_NB) }
          trace.call("let go") { flock(other, LOCK_UN) }
          // F_OFD_SETLK and F_OFD_SETLKW: locks of descriptors, so that one process can have two.
          trace.call("a range") { range(one, 37, F_WRLCK, 0, 10) }
          trace.call("the same") { range(other, 37, F_WRLCK, 5, 10) }
          trace.call("another range") { range(other, 37, F_WRLCK, 10, 10) }
          trace.call("read it") { range(other, 37, F_RDLCK, 0, 1) }
          let waiter = try Thread.start(name: "waiter") { _ = range(other, 38, F_WRLCK, 0, 10) }
          close(one)
          waiter.join()
          let third = trace.open("file", O_RDWR)
          trace.call("what the waiter has") { range(third, 37, F_WRLCK, 0, 10) }
          trace.call("of a process") { range(third, F_SETLK, F_WRLCK, 30, 10) }
          for file in [other, third] { close(file) }
        }
        // Of processes: a second one waits until the first is done.
        let lines = try fixture.run(
          ["flock", host.path("locks/file"), "flock", "-n", host.path("locks/file"), "true"])
        #expect(lines.ending == .exit(1))
      }
    }
  }
}

/// One lock of a range by fcntl(2): 0, or -1 and errno.
private func range(
  _ file: Int32, _ command: Int32, _ type: Int32, _ start: Int, _ length: Int
) -> Int32 {
  var lock = Glibc.flock()
  lock.l_type = Int16(type)
  lock.l_whence = Int16(SEEK_SET)
  lock.l_start = start
  lock.l_len = length
  return fcntl(file, command, &lock)
}
