import Control
import Glibc
import Runtime
import System
import Testing

extension Commands {
  /// S130: whom others' files belong to, so that programs see what they may do with them.
  @Suite(.enabled(if: geteuid() == 0, "only root can be somebody else")) struct ShownOwners {
    /// As a user who is not root sees them, in a mount of his own: programs know before they try
    /// that others' files can be read and not written, and make copies that can.
    @Test func aUserSeesWhatHeMayDo() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try fixture.shell(Self.theirs, host.mount).succeeded()
        let machine = try MountNamespace(fixture)
        let there = try machine.mountpoint("there")
        try machine.run("chown", MountNamespace.user, there).succeeded()
        try machine.run(
          "mount", "-t", "fsharefs", hub, there, "-o", "setuid=\(MountNamespace.user)"
        ).succeeded()
        try eventually("the master has heard of it") {
          try host.members().contains { $0.state == .waiting }
        }
        for member in try host.members() where member.state == .waiting {
          try fixture.control(host, "approve", "\(member.publicID)", "--yes").succeeded()
        }
        try eventually("all is listed") {
          try machine.runAsUser("test", "-e", there + "/zz").ending == .exit(0)
        }
        for (what, script) in Self.asUser {
          let done = try machine.runAsUser(
            "env", "PATH=/usr/bin:/bin", "HOME=\(machine.home)", "LC_ALL=C", "sh", "-euc",
            Self.refused + "umask 022; cd \"$1\"\n\(script)", "sh", there)
          #expect(done.ending == .exit(0), "\(what): \(done.text)\(done.errors)")
        }
        try fixture.waitFor(host.path("open/mine"), "mine\n")
        try fixture.waitFor(host.path("both/sub/mine"), "mine\n")
        try machine.run("umount", there).succeeded()
        try machine.waitForEnd(of: there)
      }
    }

    /// What the owner has, before anybody looks.
    private static let theirs = """
      set -e; cd "$1"; umask 022
      echo text > file; echo secret > private; chmod 600 private; echo open > all; chmod 666 all
      printf '#!/bin/sh\\necho ran\\n' > tool; chmod 755 tool
      mkdir dir open both; echo x > dir/file; ln -s file link; echo x > open/theirs
      chmod 1777 open; mkdir both/sub; chmod 777 both both/sub; echo x > both/theirs
      git init -q repo; cd repo; echo x > y; git add y
      git -c user.name=a -c user.email=b commit -qm first
      git worktree add -q ../work; printf 'gitdir: ../repo/.git/worktrees/work\\n' > ../work/.git
      cd ..; echo x > zz
      """

    /// `no DEED`: that fails.
    private static let refused =
      "no() { if sh -c \"$1\" 2> /dev/null; then echo \"did: $1\"; exit 1; fi; }\n"

    private static let asUser = [
      (
        "owners and modes",
        """
        test "$(stat -c '%n %U %g %a' file private all tool | tr '\\n' ' ' | sed 's/ $//')" = \
          "$(echo file nobody $(id -g) 644 private nobody $(id -g) 640 \
          all nobody $(id -g) 644 tool nobody $(id -g) 755)"
        for each in . dir link open both both/sub; do
          test "$(stat -c %u "$each")" = "$(id -u)"
        done
        """
      ),
      (
        "what programs ask",
        """
        test -r file -a -r private -a -x tool -a ! -w file -a ! -w private -a ! -w all
        test "$(cat file private all)" = "$(printf 'text\\nsecret\\nopen')"
        test "$(./tool)" = ran
        python3 -c '
        import os, sys
        for name in "file", "private", "all", "dir/file", "open/theirs":
          assert os.access(name, os.R_OK) and not os.access(name, os.W_OK), name
        assert os.access("both", os.W_OK) and os.access("open", os.W_OK)
        '
        test "$(vim.tiny -u NONE -es -c 'set readonly?' -c q file | tr -d '\\r\\n ')" = readonly
        """
      ),
      (
        "what changes them is refused",
        """
        no 'echo x >> file'
        no 'chmod 777 file'
        no 'chown "$(id -u)" file'
        no 'touch file'
        no 'touch -d 2001-01-01 file'
        no 'rm -f file'
        no 'mv file other'
        test "$(cat file)" = text
        """
      ),
      (
        "copies can be written to",
        """
        cp file copy; cp -a private kept; cp -a dir open/copied; rsync -a --ignore-errors both/ r/
        install -m 600 file installed; tar -cf - file | (mkdir t; tar -C t -xf -)
        for each in copy kept open/copied/file r/theirs installed t/file; do
          test -w "$each" -a -O "$each"
          echo x >> "$each"
        done
        test "$(stat -c %a copy kept)" = "$(printf '644\\n640')"
        """
      ),
      (
        "folders of several",
        """
        echo mine > open/mine; echo mine > open/gone; rm open/gone
        mv open/mine open/moved; mv open/moved open/mine
        echo mine > both/mine; mkdir both/own; echo mine > both/sub/mine
        no 'rm -f open/theirs'
        no 'mv open/theirs open/x'
        no 'mv open/mine open/theirs'
        no 'rm -f both/theirs'
        test "$(stat -c %U open/theirs)" = nobody -a -O open/mine -a -w open/mine
        """
      ),
      (
        "git",
        """
        test "$(git -C repo log --format=%s)" = first
        git -C repo status --porcelain; git -C repo fsck
        git clone -q repo "$HOME/clone"; git clone -q repo mine
        git -C mine fsck; test -w mine/y
        test "$(git -C work log --format=%s)" = first
        test -O work/.git -a ! -w work/.git
        """
      ),
      ("gio", "gio info -a access::can-write file | grep -q 'can-write: FALSE'"),
    ]

    /// With `-o allow_other` nobody gets more of others' files than their owners give, though the
    /// group shows what only whoever mounted may do; root hears it from us.
    @Test func otherUsersGetNoMore() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "allow_other"])
        let modes: [UInt32] = [0o600, 0o640, 0o644, 0o604, 0o711, 0o700, 0o666]
        for mode in modes {
          let name = String(mode, radix: 8)
          try fixture.shell("cp /bin/true \"$1\"", host.path(name)).succeeded()
          try Files.chmod(host.path(name), mode)
        }
        try Files.makeFolder(host.path("open"))
        try Files.chmod(host.path("open"), 0o1777)
        try Files.write(host.path("open/file"), "x")
        try fixture.waitFor(guest.path("open/file"), "x")
        try eventually("all modes are as they are") {
          try modes.allSatisfy {
            try Stat(path: guest.path(String($0, radix: 8))).permissions == Tree.seen($0)
          }
        }
        #expect(try Stat(path: guest.path("600")).uid == 65_534)
        #expect(try Stat(path: guest.path("600")).gid == getegid())
        // Of the mounter's group; of none; nobody himself, whose the files seem to be.
        for (words, readable, executable) in [
          (
            "--reuid=1000 --regid=0 --clear-groups", ["604", "640", "644", "666"], ["711"]
          ),
          ("--reuid=1000 --regid=1000 --groups=0", ["604", "640", "644", "666"], ["711"]),
          ("--reuid=1000 --regid=1000 --clear-groups", ["604", "644", "666"], ["711"]),
          ("--reuid=65534 --regid=65534 --clear-groups", ["604", "644", "666"], ["711"]),
          (
            "--reuid=0 --regid=0 --clear-groups",
            ["600", "604", "640", "644", "666", "700", "711"], ["700", "711"]
          ),
        ] {
          let script = """
            cd "$1"
            for name in 600 604 640 644 666 700 711; do
              cat $name > /dev/null 2>&1 && printf '%s ' "$name"
            done
            printf '/ '
            for name in 600 700 711; do ./$name 2> /dev/null && printf '%s ' "$name"; done
            for deed in 'echo x >> 666' 'chmod 777 666' 'rm -f open/file' 'mv open/file open/x' \
              'touch 644' 'truncate -s 0 666'; do
              sh -c "$deed" 2> /dev/null && printf '%s! ' "$deed"
            done
            exit 0
            """
          let done = try fixture.run(
            ["setpriv"] + words.split(separator: " ").map(String.init)
              + ["sh", "-c", script, "sh", guest.mount]
          ).succeeded()
          let wanted =
            readable.map { $0 + " " }.joined() + "/ " + executable.map { $0 + " " }.joined()
          #expect(done.text == wanted, "\(words)")
        }
        // Root's copies keep the owner that shows; the same names mean the same on any machine.
        try fixture.shell("cp -a \"$1\"/644 \"$1\"/copy", guest.mount).succeeded()
        #expect(try Stat(path: guest.own + "/copy").uid == 65_534)
        try Files.write(guest.path("copy"), "written")
        try fixture.waitFor(host.path("copy"), "written")
      }
    }

    /// `owners=self` is as it was; `uid=` says whose everything is, and what would keep whoever
    /// mounted from reading shows nobody.
    @Test func optionsSayWhoseTheyAre() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("file"), "x")
        try Files.chmod(host.path("file"), 0o620)
        let guest = try fixture.member(
          "guest", of: hub, approvedBy: host, ["-o", "owners=self,allow_other"])
        for (options, shown) in [
          ("owners=self", "0:0 620"), ("uid=7,gid=8", "7:8 620"), ("gid=8", "65534:8 640"),
          ("umask=022", "65534:0 755"), ("owners=nobody", "65534:0 640"),
        ] {
          if options != "owners=self" {
            #expect(try guest.leave() == .exit(0))
            try guest.start(["--fresh", "--nowait", "-o", options, hub])
            try guest.waits(for: .live)
          }
          try fixture.waitFor(guest.path("file"))
          let stat = try Stat(path: guest.path("file"))
          #expect("\(stat.uid):\(stat.gid) \(String(stat.permissions, radix: 8))" == shown)
          // What was another's becomes one's own, and the kernel hears of it.
          if options == "owners=nobody" {
            try Files.unlink(host.path("file"))
            try fixture.waitForAbsence(guest.path("file"))
            try Files.write(guest.path("file"), "mine")
            #expect(try Stat(path: guest.path("file")).uid == geteuid())
            try fixture.waitFor(host.path("file"), "mine")
            #expect(try Stat(path: host.path("file")).uid == 65_534)
            try Files.unlink(guest.path("file"))
            try fixture.waitForAbsence(host.path("file"))
            try Files.write(host.path("file"), "x")
            try Files.chmod(host.path("file"), 0o620)
            try fixture.waitFor(guest.path("file"), "x")
            #expect(try Stat(path: guest.path("file")).uid == 65_534)
          }
        }
        let wrong = try fixture.run(Programs.fsharefs, "-o", "owners=me", hub, guest.mount)
        #expect(wrong.ending == .exit(64) && wrong.errors.contains("self, or nobody"))
      }
    }
  }
}
