import CLinux
import Glibc
import System

/// A mount namespace of a test's own, in which mount(8) finds the program under test, with an
/// fstab, users and state folders of its own. What is mounted there nobody else sees; the machine's
/// own files stay as they are.
final class MountNamespace {
  /// The name of a user who is not root, with a home of its own.
  static let user = "fsharetester"
  /// That user's number.
  static let userNumber: UInt32 = 61_234

  private let fixture: Fixture
  private let base: String
  private let holder: RunningProcess

  /// `hasHelpers`: whether the links are there by which mount(8) knows the program; else only
  /// `mount.fuse3` does.
  init(_ fixture: Fixture, hasHelpers: Bool = true) throws {
    self.fixture = fixture
    base = try fixture.newFolder("namespace")
    let log = fixture.newPath("namespace") + ".log"
    holder = try RunningProcess(
      [
        "unshare", "--mount", "--propagation", "private", "sh", "-euc", Self.script, "sh", base,
        Programs.fsharefs, hasHelpers ? "yes" : "no", Self.user, "\(Self.userNumber)",
      ],
      output: log, errors: log)
    _ = fixture.watch(holder)
    let holder = holder
    let base = base
    fixture.atEnd {
      for pid in Watchdog.processes(naming: base) where pid != holder.pid {
        kill(pid, SIGTERM)
      }
      _ = try? eventually("what was mounted there has ended", within: .seconds(10)) {
        Watchdog.processes(naming: base).allSatisfy { $0 == holder.pid }
      }
      holder.kill(SIGKILL)
      _ = try? holder.wait()
    }
    try eventually("the namespace is there") {
      guard holder.ended == nil else { throw NeverHappened(description: try Files.text(log)) }
      return try Files.text(log) == "ready\n"
    }
  }

  /// Other mounts of the machine are let go of: here they would live on when they are unmounted
  /// there.
  private static let script = """
    awk '/ - fuse/ { print $5 }' /proc/self/mountinfo |
    while read -r other; do umount -l "$other"; done
    cd "$1" && mkdir sbin system lib home run && chown "$5:$5" home
    mount --bind /usr/sbin system
    ln -s "$1"/system/* sbin/ && ln -s "$2" sbin/fsharefs
    if [ "$3" = yes ]; then ln -s "$2" sbin/mount.fsharefs; ln -s "$2" sbin/mount.fuse.fsharefs; fi
    mount --bind sbin /usr/sbin
    mount --bind lib /var/lib
    : > fstab && mount --bind fstab /etc/fstab
    : > fuse.conf && mount --bind fuse.conf /etc/fuse.conf
    { cat /etc/passwd; echo "$4:x:$5:$5::$1/home:/bin/sh"; } > passwd
    mount --bind passwd /etc/passwd
    mknod fuse c 10 229 && chmod 666 fuse && mount --bind fuse /dev/fuse
    mount -t tmpfs none /run
    echo ready
    exec sleep infinity
    """

  /// A new folder to mount on.
  func mountpoint(_ name: String) throws -> String {
    let path = "\(base)/\(name)"
    try Files.makeFolder(path)
    return path
  }

  /// The same path, or another one of the namespace, as it is seen from outside.
  func outside(_ path: String) -> String { "/proc/\(holder.pid)/root\(path)" }

  /// The state folder that a mount gets there that names none.
  func state(of mountpoint: String) -> String {
    let name = mountpoint.dropFirst().replacing("-", with: "\\x2d").replacing("/", with: "-")
    return "\(base)/lib/fsharefs/\(name)"
  }

  /// The home of the user who is not root.
  var home: String { base + "/home" }

  /// Writes a file that stands for one of `/etc`: `fstab` or `fuse.conf`.
  func write(_ name: String, _ text: String) throws {
    // In place: another file would not be the one that is bound there.
    let file = try Files.open("\(base)/\(name)", O_WRONLY | O_TRUNC)
    try File.writeAll(Array(text.utf8), to: file, name)
    try Files.close(file, name)
  }

  /// Runs a program there, as root.
  func run(_ words: String...) throws -> Command { try run(words) }

  func run(_ words: [String]) throws -> Command { try fixture.run(enter + words) }

  /// Runs a line of `sh` there, in which `$1`… are the words given.
  func shell(_ script: String, _ words: String...) throws -> Command {
    try fixture.run(enter + ["sh", "-c", script, "sh"] + words)
  }

  /// Runs a program there as the user who is not root.
  func runAsUser(_ words: String...) throws -> Command {
    let number = "\(Self.userNumber)"
    return try fixture.run(
      enter + ["setpriv", "--reuid", number, "--regid", number, "--clear-groups"] + words)
  }

  /// What the kernel says of a mount there; nil where nothing of ours is mounted.
  func mounted(_ mountpoint: String) throws -> Mounted? {
    let table = try File.readAll("/proc/\(holder.pid)/mountinfo", limit: 8 << 20)
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      let last = Array(fields.suffix(3))
      guard fields.count > 8, fields[4] == mountpoint, last[0] == "fuse.fsharefs" else { continue }
      return Mounted(
        options: Set("\(fields[5]),\(last[2])".split(separator: ",").map(String.init)),
        source: last[1])
    }
    return nil
  }

  /// A line of mountinfo.
  struct Mounted {
    /// Those of the mount and those of its file system.
    let options: Set<String>
    let source: String
  }

  /// The programs that were started with a mountpoint, and run still.
  func servers(of mountpoint: String) -> [pid_t] {
    Watchdog.processes(naming: base).filter { pid in
      let line = (try? File.readAll("/proc/\(pid)/cmdline", limit: 1 << 20)) ?? []
      return line.split(separator: 0).contains(Array(mountpoint.utf8)[...])
    }
  }

  /// Waits until nobody serves a mount any more.
  func waitForEnd(of mountpoint: String) throws {
    try eventually("\(mountpoint) is served by nobody") { servers(of: mountpoint).isEmpty }
  }

  private var enter: [String] { ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "--"] }
}
