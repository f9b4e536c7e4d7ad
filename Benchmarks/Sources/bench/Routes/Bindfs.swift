import Glibc

/// bindfs: a folder shown at another place by a FUSE file system that does nothing else.
final class Bindfs {
  static let name = "bindfs"
  let mount: String
  private let daemon: Child

  var pid: pid_t { daemon.pid }

  init(_ folder: String, _ stage: Stage) throws {
    mount = try stage.scratch.newFolder("bindfs")
    let log = stage.scratch.path("bindfs-log")
    let mount = mount
    let daemon = try Child(["bindfs", "-f", folder, mount], log: log)
    self.daemon = daemon
    stage.scratch.atEnd {
      try? Child.run(["fusermount3", "-u", "-z", mount], log: "/dev/null")
      daemon.end()
    }
    try eventually("bindfs is mounted") {
      if daemon.ended != nil { throw Failure("bindfs ended: \(Files.text(of: log))") }
      return Files.text(of: "/proc/self/mounts").contains(" \(mount) fuse")
    }
  }
}
