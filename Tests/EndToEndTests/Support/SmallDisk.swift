import CLinux
import Glibc
import System

/// A small file system of its own, which can be filled to the last page. Root only.
struct SmallDisk {
  let path: String
  private var filler: String { path + "/filler" }

  /// Unmounted at the end. `pages`: of 4 KiB.
  init(_ fixture: Fixture, pages: Int) throws {
    path = try fixture.newFolder("disk")
    let path = path
    try retryingOnInterrupt("mount a small disk") {
      mount("fsharefs-test", path, "tmpfs", 0, "size=\(4 * pages)k,mode=700")
    }
    fixture.atEnd { MountPoint.detach(path) }
  }

  /// Leaves no room at all.
  func fill() throws {
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open the filler") {
        open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      })
    // Large pieces first: somebody else may want the last of the room at the same time.
    for size in [1 << 20, 4_096] {
      let piece = [UInt8](repeating: 1, count: size)
      while (try? File.writeAll(piece, to: file.raw, "filler")) != nil {}
    }
  }

  /// Makes room again; nothing where it was not filled.
  func free() { _ = unlink(filler) }
}
