import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Several users of one machine in one mount. Only root can be all of them.
  @Suite(.enabled(if: geteuid() == 0, "only root can be somebody else")) struct Owners {
    /// By the words of setpriv(1).
    private static let people = [
      "--reuid=1000 --regid=1000 --clear-groups", "--reuid=1000 --regid=1000 --groups=1000,2000",
      "--reuid=1001 --regid=2000 --clear-groups", "--reuid=0 --regid=0 --clear-groups",
    ]

    /// S87, S88: what is made has the owner, group, mode and ACL that it gets in the own folder
    /// itself: by whoever made it, with its umask, in a setgid directory and in one with a default
    /// ACL.
    @Test func whatIsMadeBelongsToWhoMadeIt() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host(["-o", "allow_other"])
        try fixture.expectAgreement(host.mount, "made") { trace in
          let isMount = trace.folder == host.path("made")
          let own = isMount ? host.own + "/made" : trace.folder
          try prepare(trace, own)
          // Each mask meets each folder and each person.
          let masks = ["022", "077", "002"]
          for (place, folder) in ["plain", "all", "group", "acl"].enumerated() {
            for (person, words) in Self.people.enumerated() {
              let mask = masks[(place + person) % masks.count]
              let name = "\(person)-\(mask)"
              let script =
                "umask \(mask); echo x > f\(name); mkdir d\(name); mkdir -m 1770 m\(name); "
                + "ln -s f l\(name); touch f\(name); chmod 640 f\(name); echo y >> f\(name); "
                + "install -m 754 f\(name) i\(name); sed -i s/x/z/ f\(name); mv f\(name) r\(name)"
              trace.call("\(words) in \(folder) with \(mask)") {
                system(
                  "cd '\(trace.folder)/\(folder)' && setpriv \(words) sh -c '\(script)' 2>/dev/null"
                )
              }
            }
          }
          // What others made: who may write, remove, change.
          for words in Self.people.dropFirst() {
            for deed in [
              "echo x >> all/r0-077", "rm all/l0-077", "mv all/i0-077 all/j",
              "chmod 600 all/i1-002", "touch all/i3-077", "rm group/r1-022",
              "chmod 4755 all/i2-022", "rmdir all/m1-002",
            ] {
              trace.call("\(deed) by \(words)") {
                system("cd '\(trace.folder)' && setpriv \(words) sh -c '\(deed)' 2>/dev/null")
              }
            }
          }
          let listing = try fixture.shell(Self.listing, trace.folder).succeeded().text
          for line in listing.split(separator: "\n") { trace.note("there", line) }
          for name in ["r0-022", "r3-022", "d1-077", "m0-022"] {
            for kind in ["access", "default"] {
              trace.note("ACL of \(name)", try acl(kind, "\(own)/acl/\(name)"))
            }
          }
        }
        #expect(try Files.list(host.own + "/.fsharefs-staging") == ["lock", "targets"])
        _ = try host.leave()
      }
    }

    /// S51, S87: git, lock files and editors' ways of saving work for a user in a directory that
    /// all may write to.
    @Test func programsWorkForEveryUser() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host(["-o", "allow_other"])
        try Files.makeFolder(host.path("all"))
        try Files.chmod(host.path("all"), 0o1777)
        let script = """
          cd "$1" && HOME=$1 && export HOME && git init -q r && cd r && echo x > y && git add y && \
          git -c user.name=a -c user.email=b commit -qm x && git fsck && \
          test -z "$(git status --porcelain)" && sed -i s/x/z/ y && test "$(cat y)" = z && \
          (set -C; echo $$ > lock) && rm lock && touch -d 2001-01-01 y && chmod 4750 y && \
          test "$(stat -c '%u:%g %a %Y' y)" = "1000:1000 4750 978307200"
          """
        let words = Self.people[0].split(separator: " ").map(String.init)
        try fixture.run(["setpriv"] + words + ["sh", "-c", script, "sh", host.path("all")])
          .succeeded()
        #expect(try Stat(path: host.own + "/all/r/y").uid == 1_000)
        // The top belongs to whom the own folder belongs, and is changed with it.
        let top = "echo x > \"$1\"/top"
        #expect(
          try fixture.run(["setpriv"] + words + ["sh", "-c", top, "sh", host.mount])
            .ending != .exit(0))
        try Files.chmod(host.mount, 0o1777)
        #expect(try Stat(path: host.own).permissions == 0o1777)
        try fixture.run(["setpriv"] + words + ["sh", "-c", top, "sh", host.mount]).succeeded()
        #expect(try Stat(path: host.path("top")).uid == 1_000)
        // By hand too.
        try Files.chmod(host.own, 0o2750)
        try check(chown(host.own, 1_000, 2_000))
        try eventually("the top is as the own folder") {
          let top = try Stat(path: host.mount)
          return top.permissions == 0o2750 && top.uid == 1_000 && top.gid == 2_000
        }
      }
    }

    /// S19, S51: owner and group are the own file's: `cp -a`, `rsync -a`, `tar -x` and `install -o`
    /// of another user's files keep them, modes and times; a second `rsync -a` transfers nothing.
    /// It is no new version for anybody.
    @Test func ownersAreKept() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["-o", "allow_other"])
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let source = try fixture.newFolder("source")
        try fixture.shell(
          """
          cd "$1" && echo 1 > a && mkdir -m 2750 s && echo 2 > s/b && ln -s a l && mkdir e && \
          chown -hR 1234:2000 . && chown 1000:1000 s/b && chmod 4755 a && chmod 640 s/b && \
          chmod 2750 s && touch -hd 2001-02-03T04:05:06.789 a s/b l s e .
          """, source
        ).succeeded()
        try fixture.expectAgreement(host.mount, "kept") { trace in
          for (name, script) in [
            ("cp", "cp -a \"$1\" cp"), ("rsync", "rsync -a \"$1\"/ rsync/"),
            ("tar", "mkdir tar && tar -C \"$1\" -cf - . | tar -C tar -xpf -"),
            ("install", "install -D -o 1000 -g 2000 -m 640 \"$1\"/a install/a"),
            ("again", "test -z \"$(rsync -ai \"$1\"/ rsync/)\""),
            ("chown", "cp cp/a c && chown 1000:2000 c && chgrp 0 c && chown -h 7:8 cp/l"),
          ] {
            let done = try fixture.shell("cd \"$2\" && { \(script)\n}", source, trace.folder)
            trace.note(name, "\(done.ending) \(done.errors)")
          }
          let listing = try fixture.shell(Self.listing, trace.folder).succeeded().text
          for line in listing.split(separator: "\n") { trace.note("there", line) }
          let times = try fixture.shell(
            "cd \"$1\" && find cp rsync tar -printf '%p %T@\\n' | LC_ALL=C sort", trace.folder)
          trace.note("times", times.text)
          // A group of one's own is given to one's own file, and nothing else.
          for (words, deed) in [
            (Self.people[1], "chgrp 2000 install/a"), (Self.people[0], "chgrp 2000 install/a"),
            (Self.people[1], "chgrp 1000 install/a"), (Self.people[1], "chown 1001 install/a"),
            (Self.people[1], "chgrp 2000 cp/a"), (Self.people[2], "chown 1001 install/a"),
          ] {
            trace.call("\(deed) by \(words)") {
              system("cd '\(trace.folder)' && setpriv \(words) sh -c '\(deed)' 2>/dev/null")
            }
            trace.note(
              "then",
              try fixture.shell(
                "stat -c '%u:%g %a' \"$1\"/install/a \"$1\"/cp/a",
                trace.folder
              ).text)
          }
        }
        try fixture.waitFor(guest.path("kept/cp/s/b"), "2\n")
        let before = try Stat(path: guest.path("kept/cp/s/b")).ino
        try fixture.shell("chown 5:6 \"$1\" && chgrp 7 \"$1\"", host.path("kept/cp/s/b"))
          .succeeded()
        try Files.write(host.path("after"), "x")
        try fixture.waitFor(guest.path("after"), "x")
        #expect(try Stat(path: guest.path("kept/cp/s/b")).ino == before)
        #expect(try Files.text(guest.path("kept/cp/s/b")) == "2\n")
        #expect(try Stat(path: guest.path("kept/cp/s/b")).uid == 65_534)
        #expect(try Stat(path: host.own + "/kept/cp/s/b").uid == 5)
      }
    }

    /// S3, S90: whatever modes others give, a user of this machine reads, no more; whoever mounted
    /// is the member.
    @Test func othersModesGiveNobodyARight() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "allow_other"])
        try Files.makeFolder(host.path("open"))
        try Files.chmod(host.path("open"), 0o1777)
        try Files.write(host.path("open/file"), "theirs")
        try Files.chmod(host.path("open/file"), 0o6777)
        try fixture.waitFor(guest.path("open/file"), "theirs")
        try eventually("its mode") {
          try Stat(path: guest.path("open/file")).permissions == 0o755
        }
        #expect(try Stat(path: guest.path("open")).permissions == 0o1777)
        let refused = [
          "echo x > new", "mkdir new", "ln -s file new", "echo x >> file", "rm -f file",
          "chmod 600 file", "mv /etc/hostname new",
        ]
        func tryAll() throws {
          for deed in refused {
            let done = try fixture.shell(
              "cd \"$1\" && setpriv \(Self.people[0]) sh -c '\(deed)'", guest.path("open"))
            #expect(done.ending != .exit(0), "\(deed)")
          }
        }
        try tryAll()
        #expect(Files.exists(guest.own + "/open") == false)
        // Nor once whoever mounted has something in it.
        try Files.write(guest.path("open/mine"), "mine")
        #expect(try Stat(path: guest.own + "/open").permissions == 0o755)
        #expect(try Stat(path: guest.path("open")).permissions == 0o1777)
        try tryAll()
        #expect(try Files.list(guest.own + "/open") == ["mine"])
      }
    }

    /// All that is there, with owners, groups and modes.
    private static let listing =
      "cd \"$1\" && find . -mindepth 1 -printf '%p %U:%G %m %y %l\\n' | LC_ALL=C sort"

    /// Directories of each kind in which things are made.
    private func prepare(_ trace: Trace, _ own: String) throws {
      for (name, mode, group) in [
        ("plain", 0o755, 0), ("all", 0o1777, 0), ("group", 0o2775, 2_000), ("acl", 0o777, 2_000),
      ] {
        try Files.makeFolder(trace.path(name))
        try check(chown(trace.path(name), 0, gid_t(group)))
        try Files.chmod(trace.path(name), UInt32(mode))
      }
      let list = Self.acl
      try check(setxattr("\(own)/acl", "system.posix_acl_default", list, list.count, 0))
    }

    /// rwx for the owner, user 1000 and group, r-x for all others.
    private static let acl: [UInt8] = {
      var bytes: [UInt8] = [2, 0, 0, 0]
      for (tag, rights, id) in [
        (1, 7, UInt32.max), (2, 7, 1_000), (4, 7, .max), (0x10, 7, .max), (0x20, 5, .max),
      ] as [(UInt8, UInt8, UInt32)] {
        bytes += [tag, 0, rights, 0]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * UInt32($0))) }
      }
      return bytes
    }()

    private func acl(_ kind: String, _ path: String) throws -> [UInt8] {
      var value = [UInt8](repeating: 0, count: 256)
      let count = getxattr(path, "system.posix_acl_\(kind)", &value, value.count)
      return count < 0 ? [] : Array(value[..<count])
    }
  }
}
