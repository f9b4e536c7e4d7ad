import CLinux
import Glibc
import System

/// The share as any program sees it, below a folder: all of it, or what a guest may see.
///
/// What is asked for goes the way of any program: what is read, written, refused and waited for is
/// as in the mount. This is another process than the one that serves the mount, for a process that
/// waits for itself could not even be killed.
struct ShareFolder: Sendable {
  /// Absolute.
  let mountpoint: String
  /// What is below it; nothing else can be reached.
  let root: PlaceInShare

  /// Opens something below the root; no link leads out of it.
  func open(
    _ place: PlaceInShare, _ flags: Int32, mode: UInt32 = 0
  ) throws(SystemError) -> OwnedDescriptor {
    let top = try openRoot()
    if place.bytes.isEmpty {
      return try Self.open(top, [UInt8(ascii: ".")], flags, mode)
    }
    return try Self.open(top, place.bytes, flags, mode)
  }

  /// The folder in which something lies, and its name there. Requires: not the root.
  func parent(of place: PlaceInShare) throws(SystemError) -> (
    folder: OwnedDescriptor, name: [UInt8]
  ) {
    let parts = place.bytes.split(separator: UInt8(ascii: "/"))
    guard let above = PlaceInShare(Array(parts.dropLast().joined(separator: [UInt8(ascii: "/")])))
    else { throw SystemError(code: EINVAL, call: "open a folder") }
    return (try open(above, O_RDONLY | O_DIRECTORY), place.name)
  }

  /// Makes a folder and those above it.
  func makeFolders(_ place: PlaceInShare) throws(SystemError) {
    let parts = place.bytes.split(separator: UInt8(ascii: "/"))
    var folder = try openRoot()
    for part in parts {
      let name = Array(part)
      do throws(SystemError) {
        folder = try Self.open(folder, name, O_RDONLY | O_DIRECTORY, 0)
      } catch {
        guard error.code == ENOENT else { throw error }
        let made = folder.raw
        try retryingOnInterrupt("make a folder") {
          mkdirat(made, name.map { CChar(bitPattern: $0) } + [0], 0o777)
        }
        folder = try Self.open(folder, name, O_RDONLY | O_DIRECTORY, 0)
      }
    }
  }

  /// The root may be a file, of which a guest has the link.
  private func openRoot() throws(SystemError) -> OwnedDescriptor {
    let mount = OwnedDescriptor(
      try retryingOnInterrupt("open \(mountpoint)") {
        Glibc.open(mountpoint.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    return root.bytes.isEmpty
      ? mount : try Self.open(mount, root.bytes, O_RDONLY | O_DIRECTORY, 0)
  }

  private static func open(
    _ folder: OwnedDescriptor, _ path: [UInt8], _ flags: Int32, _ mode: UInt32
  ) throws(SystemError) -> OwnedDescriptor {
    let text = path.map { CChar(bitPattern: $0) } + [0]
    let inside = UInt64(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    return OwnedDescriptor(
      try retryingOnInterrupt("open") {
        clinux_openat2(folder.raw, text, UInt64(flags | O_CLOEXEC), UInt64(mode), inside)
      })
  }

  /// An extended attribute of something in a folder, as the mount answers it; nil where it has
  /// none.
  static func property(_ name: String, of item: [UInt8], in folder: OwnedDescriptor) -> String? {
    let path = "/proc/self/fd/\(folder.raw)/" + String(pathBytes: item)
    var value = [UInt8](repeating: 0, count: 256)
    let count = lgetxattr(path.cPath, "user.fsharefs.\(name)", &value, value.count)
    return count >= 0 ? String(decoding: value.prefix(count), as: UTF8.self) : nil
  }
}
