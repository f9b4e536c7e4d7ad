import Glibc

/// A name in a folder.
package struct FolderItem: Sendable {
  package let name: [UInt8]
  /// Whether it is a folder; false too where the file system does not say it here.
  package let isFolder: Bool
}

/// What lies in folders.
package enum FolderItems {
  /// What is in a folder, `.` and `..` left out, in no order; no more than `limit`. Blocks.
  package static func of(_ path: String, limit: Int = .max) throws(SystemError) -> [FolderItem] {
    let folder = OwnedDescriptor(
      try retryingOnInterrupt("open \(path)") {
        open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    return try of(folder, limit: limit)
  }

  /// The same of an open one, which it reads from where it stands.
  package static func of(
    _ folder: OwnedDescriptor, limit: Int = .max
  ) throws(SystemError) -> [FolderItem] {
    let copy = try retryingOnInterrupt("dup") { fcntl(folder.raw, F_DUPFD_CLOEXEC, 0) }
    guard let stream = fdopendir(copy) else {
      let failure = SystemError("opendir")
      close(copy)
      throw failure
    }
    defer { closedir(stream) }
    var items: [FolderItem] = []
    while items.count < limit {
      // Only so its failure shows.
      errno = 0
      guard let item = readdir(stream) else {
        if errno != 0 { throw SystemError("readdir") }
        break
      }
      // SAFETY: `d_name` is a terminated string inside `item`, which lives until the next readdir.
      let name = withUnsafePointer(to: &item.pointee.d_name) {
        $0.withMemoryRebound(to: UInt8.self, capacity: 256) {
          Array(
            UnsafeBufferPointer(
              start: $0, count: strlen(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))))
        }
      }
      if name == [0x2e] || name == [0x2e, 0x2e] { continue }
      items.append(FolderItem(name: name, isFolder: item.pointee.d_type == UInt8(DT_DIR)))
    }
    return items
  }
}
