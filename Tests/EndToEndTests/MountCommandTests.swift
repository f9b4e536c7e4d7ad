import Control
import Glibc
import Runtime
import System
import Testing

extension Commands {
  /// mount(8) and fstab, in a mount namespace of each test's own.
  @Suite(.enabled(if: geteuid() == 0, "only root can make a mount namespace")) struct MountCommand {
    /// A group, and a namespace in which one of its members mounts.
    private func withGroup(
      hasHelpers: Bool = true, _ body: (Fixture, Daemon, String, MountNamespace) throws -> Void
    ) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.write(host.path("file"), "content")
        try body(fixture, host, hub, try MountNamespace(fixture, hasHelpers: hasHelpers))
      }
    }

    /// Has the master let in whoever waits, and waits until they list what there is.
    private func approve(
      _ host: Daemon, _ fixture: Fixture, _ machine: MountNamespace, _ mountpoints: String...
    ) throws {
      try eventually("the master has heard of all") {
        try host.members().count { $0.state == .waiting } == mountpoints.count
      }
      for member in try host.members() where member.state == .waiting {
        try fixture.control(host, "approve", "\(member.publicID)", "--yes").succeeded()
      }
      for mountpoint in mountpoints {
        try fixture.waitFor(machine.outside(mountpoint + "/file"), "content")
      }
    }

    private func unmount(_ machine: MountNamespace, _ mountpoint: String) throws {
      try machine.run("umount", mountpoint).succeeded()
      try machine.waitForEnd(of: mountpoint)
    }

    /// mount(8) does not wait for a person: the mount is there, says why it lists nothing,
    /// and lists once the master has decided. Each set of options that fstab may have mounts then,
    /// and what it says is there when `mount` returns.
    @Test(arguments: ["fuse.fsharefs", "fsharefs"])
    func everySetOfOptionsMounts(type: String) throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        let first = try machine.run("mount", "-t", type, hub, there).succeeded()
        #expect(first.errors.contains("waiting for approval") && first.errors.contains("words:"))
        #expect(Files.errorOf { _ = try Files.list(machine.outside(there)) } == EHOSTDOWN)
        try approve(host, fixture, machine, there)
        try unmount(machine, there)
        let own = try fixture.newFolder("own,one")
        let sets: [(options: String, shows: Set<String>)] = [
          ("defaults", ["rw"]), ("rw", ["rw"]), ("ro", ["ro"]), ("defaults,_netdev", ["rw"]),
          ("noauto,nofail,x-systemd.automount", ["rw"]), ("user,nofail", ["noexec"]),
          ("nosuid,nodev,noexec,noatime", ["noexec", "noatime"]),
          ("sync,dirsync,relatime,lazytime", ["sync", "dirsync"]),
          ("suid,dev,exec,async,atime,auto,comment=x,X-a.b=c", ["nosuid", "nodev"]),
          ("allow_other,uid=12,gid=\(MountNamespace.userNumber),umask=027", ["allow_other"]),
          ("allow_root", ["allow_other"]),
          ("nowait,timeout=3,cache-size=64,cache=\(fixture.folder)/cache", []),
          ("own=\(own.replacing(",", with: "\\,")),name=another,max_files=3,auto_unmount", ["rw"]),
        ]
        for (options, shows) in sets {
          try machine.run("mount", "-t", type, hub, there, "-o", options).succeeded()
          let mounted = try #require(try machine.mounted(there), "\(options)")
          #expect(mounted.source == hub && mounted.options.isSuperset(of: shows), "\(options)")
          // What is read of others may take a moment yet where nobody was to wait.
          try fixture.waitFor(machine.outside(there + "/file"), "content")
          // The next may follow at once: it waits until this one has left.
          try machine.run("umount", there).succeeded()
          #expect(try machine.mounted(there) == nil)
        }
        #expect(try Files.list(own).contains(".fsharefs-staging"))
        try machine.waitForEnd(of: there)
        #expect(try host.members().count == 2)
      }
    }

    /// Two lines of fstab do not meet: each has a state folder and a name in the list of members;
    /// `mount -a` leaves alone what is there; `df` takes both for others' disks.
    @Test func twoLinesOfFstab() throws {
      try withGroup { fixture, host, hub, machine in
        let (one, two) = (try machine.mountpoint("on-e"), try machine.mountpoint("two"))
        try machine.write(
          "fstab",
          """
          \(hub) \(one) fuse.fsharefs defaults,_netdev,nofail,x-systemd.automount,name=one 0 0
          //\(hub)/share \(two) fsharefs ro,name=two 0 0
          """)
        try machine.run("mount", "-a").succeeded()
        try approve(host, fixture, machine, one, two)
        #expect(Set(try host.members().map(\.name)).isSuperset(of: ["one", "two"]))
        let servers = machine.servers(of: one) + machine.servers(of: two)
        try machine.run("mount", "-a").succeeded()
        #expect(machine.servers(of: one) + machine.servers(of: two) == servers)
        for mountpoint in [one, two] {
          #expect(try Files.list(machine.state(of: mountpoint)).contains("key"))
          #expect(try Stat(path: machine.state(of: mountpoint)).permissions == 0o700)
          #expect(try machine.run("df", mountpoint).succeeded().text.contains(hub))
          #expect(try machine.run("df", "-l", mountpoint).ending != .exit(0))
        }
        #expect(try machine.mounted(two)?.source == "//\(hub)/share")
        // What mount(8) knows beside the kernel it finds again.
        #expect(try Files.text(machine.outside("/run/mount/utab")).contains("OPTS=_netdev"))
        // One writes, the other reads it, and cannot write.
        try Files.write(machine.outside(one + "/new"), "x")
        try fixture.waitFor(machine.outside(two + "/new"), "x")
        #expect(Files.errorOf { try Files.write(machine.outside(two + "/no"), "x") } == EROFS)
        #expect(Files.errorOf { try Files.unlink(machine.outside(two + "/new")) } == EROFS)
        try unmount(machine, one)
        try fixture.waitForAbsence(machine.outside(two + "/new"))
        try unmount(machine, two)
      }
    }

    /// Without the links of `make install` mount(8) asks `mount.fuse3`, which runs `fsharefs`.
    @Test func throughMountFuse() throws {
      try withGroup(hasHelpers: false) { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        let own = try fixture.newFolder("own,one")
        let options = "_netdev,nofail,ro,own=" + own.replacing(",", with: "\\,")
        try machine.run("mount", "-t", "fuse.fsharefs", hub, there, "-o", options).succeeded()
        try approve(host, fixture, machine, there)
        #expect(try machine.mounted(there)?.options.contains("ro") == true)
        #expect(try Files.list(own).contains(".fsharefs-staging"))
        #expect(Files.exists(machine.state(of: there) + "/key"))
        try unmount(machine, there)
        let wrong = try machine.run("mount", "-t", "fuse.fsharefs", hub, there, "-o", "rwx")
        #expect(wrong.ending == .exit(1) && wrong.errors.contains("'-o rwx'"))
        #expect(try machine.mounted(there) == nil)
      }
    }

    @Test func whatCannotBeMountedSaysSo() throws {
      try withFixture { fixture in
        let machine = try MountNamespace(fixture)
        let there = try machine.mountpoint("there")
        for (options, code, words) in [
          ("alow_other", Int32(1), "unknown option '-o alow_other': did you mean 'allow_other'?"),
          ("umask=9", 1, "octal"), ("uid=nobody-at-all", 1, "no such user"),
          ("allow_other,allow_root", 1, "only one"), ("cache-size=64", 1, "--cache"),
          ("max-rate=no", 1, "max-rate"), ("own=\(there)/own", 32, "may not contain each other"),
          ("", 32, "cannot be reached"),
        ] {
          let command = try machine.run(
            ["mount", "-t", "fsharefs", "127.0.0.1:9", there]
              + (options.isEmpty ? [] : ["-o", options]))
          #expect(command.ending == .exit(code), "\(options): \(command.errors)")
          #expect(command.errors.contains(words), "\(options): \(command.errors)")
          #expect(try machine.mounted(there) == nil)
        }
        // Nothing but the check: the hub is not even looked for.
        try machine.run("mount", "-f", "-t", "fsharefs", "127.0.0.1:9", there).succeeded()
        #expect(try machine.mounted(there) == nil)
        let missing = try machine.run("mount", "-t", "fsharefs", "127.0.0.1:9", there + "/no")
        #expect(missing.ending == .exit(32))
      }
    }

    /// `nofail`: without its hub the mount is there all the same, and goes on when the hub comes.
    @Test func nofailGoesOnConnecting() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        try Files.write(master.path("file"), "content")
        try hub.crash()
        let machine = try MountNamespace(fixture)
        let there = try machine.mountpoint("there")
        try machine.run("mount", "-t", "fsharefs", hub.address, there, "-o", "nofail").succeeded()
        #expect(Files.errorOf { _ = try Files.list(machine.outside(there)) } == EHOSTDOWN)
        try hub.restart()
        try approve(master, fixture, machine, there)
        try unmount(machine, there)
      }
    }

    /// The kernel and what this program judges itself go by what shows.
    @Test func ownersAndModesAsTheOptionsSay() throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        let number = MountNamespace.userNumber
        try Files.makeFolder(host.path("open"))
        try Files.chmod(host.path("open"), 0o1777)
        try machine.run(
          "mount", "-t", "fsharefs", hub, there, "-o",
          "allow_other,uid=\(MountNamespace.user),gid=0,umask=027"
        ).succeeded()
        try approve(host, fixture, machine, there)
        try fixture.waitFor(machine.outside(there + "/open"))
        let shown = try machine.shell("cd \"$1\" && stat -c '%n %u %g %a' . file open", there)
        #expect(
          shown.text == ". \(number) 0 750\nfile \(number) 0 750\nopen \(number) 0 750\n")
        // Whom all belongs to works in it as the member itself does, in others' open folders too.
        let work = """
          set -e; cd "$1"; echo 1 > mine; mkdir d; echo 2 > d/b; chmod 600 mine
          touch -d 2001-01-01 d/b
          chown \(number) mine; cp -p d/b c; mv c d/c; rm d/b; echo 3 > open/in
          cat file > /dev/null
          test "$(stat -c '%u %g %a' mine)" = "\(number) 0 750"
          ! echo 4 2> /dev/null > file
          """
        try machine.runAsUser("sh", "-c", work, "sh", there).succeeded()
        try fixture.waitFor(host.path("open/in"), "3\n")
        #expect(try Stat(path: machine.state(of: there) + "/own/mine").permissions == 0o600)
        // To nobody else anything is open: mode 750.
        let other = try machine.run(
          "setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "ls", there)
        #expect(other.ending != .exit(0))
        try unmount(machine, there)
      }
    }

    @Test func aRemountChangesWhatTheKernelKeeps() throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        try machine.run("mount", "-t", "fsharefs", hub, there, "-o", "name=one").succeeded()
        try approve(host, fixture, machine, there)
        try machine.run("mount", "-o", "remount,ro", there).succeeded()
        #expect(Files.errorOf { try Files.write(machine.outside(there + "/no"), "x") } == EROFS)
        try machine.run("mount", "-o", "remount,rw,noexec", there).succeeded()
        try Files.write(machine.outside(there + "/new"), "x")
        #expect(
          try machine.mounted(there)?.options.isSuperset(of: ["rw", "noexec", "nosuid"]) == true)
        let busy = try machine.shell("exec 5> \"$1/open\"; mount -o remount,ro \"$1\"", there)
        #expect(busy.ending == .exit(32) && busy.errors.contains("open for writing"))
        try unmount(machine, there)
      }
    }

    /// A line with `user`: who is not root mounts by it, and unmounts, with state in its own home.
    @Test(arguments: ["umount", "fusermount3 -u"]) func aUserMounts(away: String) throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        func line(_ options: String) throws {
          try machine.write("fstab", "\(hub) \(there) fuse.fsharefs noauto,user\(options) 0 0\n")
        }
        try line("")
        let refused = try machine.runAsUser("mount", there)
        #expect(refused.ending == .exit(32) && refused.errors.contains("where one may write"))
        try machine.run("chown", MountNamespace.user, there).succeeded()
        try line(",allow_other")
        let open = try machine.runAsUser("mount", there)
        #expect(open.ending == .exit(1) && open.errors.contains("user_allow_other"))
        try machine.write("fuse.conf", "user_allow_other\n")
        try machine.runAsUser("mount", there).succeeded()
        try approve(host, fixture, machine, there)
        let options = try #require(try machine.mounted(there)?.options)
        #expect(
          options.isSuperset(of: ["noexec", "allow_other", "user_id=\(MountNamespace.userNumber)"]))
        #expect(try Files.list(machine.home + "/.local/state/fsharefs/mounts").count == 1)
        try machine.runAsUser("sh", "-c", "echo x > \"$1/x\" && \(away) \"$1\"", "sh", there)
          .succeeded()
        try machine.waitForEnd(of: there)
        #expect(try machine.mounted(there) == nil)
      }
    }

    /// `setuid=`: root's line of fstab, served by somebody else.
    @Test func setuidServesAsAnother() throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        try machine.run("chown", MountNamespace.user, there).succeeded()
        try machine.run(
          "mount", "-t", "fsharefs", hub, there, "-o", "setuid=\(MountNamespace.user)"
        ).succeeded()
        let options = try #require(try machine.mounted(there)?.options)
        #expect(options.contains("user_id=\(MountNamespace.userNumber)"))
        #expect(try Files.list(machine.home + "/.local/state/fsharefs/mounts").count == 1)
        try unmount(machine, there)
      }
    }

    /// `auto_unmount`: a crash leaves no dead mount.
    @Test func aCrashLeavesNoMount() throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        try machine.run("mount", "-t", "fsharefs", hub, there, "-o", "auto_unmount").succeeded()
        try approve(host, fixture, machine, there)
        for pid in machine.servers(of: there)
        where try Files.text("/proc/\(pid)/comm").hasPrefix("mount.fsharefs") {
          kill(pid, SIGKILL)
        }
        try eventually("nothing is mounted") { try machine.mounted(there) == nil }
        try machine.waitForEnd(of: there)
      }
    }

    private static let hasAutomounts =
      (try? Files.text("/proc/filesystems"))?.contains("autofs") == true

    /// An automount lets only the process group that mounts pass, and has all others wait: what
    /// serves the mount may not leave that group before it is there.
    @Test(.enabled(if: Self.hasAutomounts, "this kernel has no automounts"))
    func anAutomountIsNotWaitedFor() throws {
      try withGroup { fixture, host, hub, machine in
        let there = try machine.mountpoint("there")
        try machine.run("mount", "-t", "fsharefs", hub, there).succeeded()
        try approve(host, fixture, machine, there)
        try unmount(machine, there)
        let mount = ["mount", "-t", "fsharefs", hub, there, "-o", "_netdev"]
        let listed = try machine.run(["python3", "-c", Self.automounter, there] + mount).succeeded()
        #expect(listed.text == "file\n")
        // Behind it is the automount.
        try machine.run("umount", there).succeeded()
        try machine.waitForEnd(of: there)
        try machine.run("umount", there).succeeded()
      }
    }

    /// Plays systemd: mounts an automount point of the kernel, has somebody else list it, and runs
    /// mount(8) while that waits.
    private static let automounter = """
      import ctypes, fcntl, os, struct, subprocess, sys
      where, command = sys.argv[1], sys.argv[2:]
      os.setpgid(0, 0)
      reading, writing = os.pipe2(os.O_CLOEXEC)
      options = f"fd={writing},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
      if ctypes.CDLL(None).mount(b"automount", where.encode(), b"autofs", 0, options.encode()):
        sys.exit("no automount point can be made")
      os.close(writing)
      root = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
      user = subprocess.Popen(["ls", where], start_new_session=True)
      # struct autofs_v5_packet; AUTOFS_IOC_READY and AUTOFS_IOC_FAIL
      token, = struct.unpack_from("=I", os.read(reading, 4096), 8)
      failed = subprocess.run(command, timeout=20).returncode != 0
      fcntl.ioctl(root, 0x9361 if failed else 0x9360, token)
      sys.exit(failed or user.wait())
      """

    /// The table of options, the command line and the manual say the same.
    @Test func everySettingOfTheCommandLineIsAnOption() throws {
      try withFixture { fixture in
        let dump = try fixture.run(Programs.fsharefs, "--experimental-dump-help").succeeded().text
        let names = Set(
          dump.matches(of: /"kind" : "long",\s*"name" : "([a-z-]+)"/).map { String($0.1) })
        #expect(names.count > 20)
        #expect(
          names.subtracting(["help", "help-all", "version"])
            == Set(MountOption.all.filter { $0.meaning == .commandLine }.map(\.name)))
        let help = try fixture.run(Programs.fsharefs, "--help").succeeded().text
        for option in MountOption.all where option.meaning == .setting {
          #expect(help.contains(option.name), "\(option.name)")
        }
      }
    }
  }
}
