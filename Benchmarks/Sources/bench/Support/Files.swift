import Glibc

/// Small things about files.
enum Files {
  /// What a file holds, up to 1 MiB; empty when it cannot be read.
  static func text(of path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var done = 0
    while done < bytes.count {
      // SAFETY: the pointer stays inside the closure and within the array.
      let count = bytes.withUnsafeMutableBytes {
        read(file, $0.baseAddress! + done, $0.count - done)
      }
      if count <= 0 { break }
      done += count
    }
    return String(decoding: bytes[..<done], as: UTF8.self)
  }

  /// The names in a folder, but for `.` and `..`; none when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      // SAFETY: the kernel ends the name with a zero within the entry, which lives until the next
      // call.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func makeFolder(_ path: String) throws {
    try checked("make \(path)") { mkdir(path, 0o755) }
  }

  /// The size of a file; nil when there is none.
  static func size(of path: String) -> Int? {
    var record = stat()
    return stat(path, &record) == 0 ? Int(record.st_size) : nil
  }

  /// Makes the kernel forget the contents of a file that it holds for a mount.
  static func forget(_ path: String) throws {
    let file = try checked("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(file) }
    _ = posix_fadvise(file, 0, 0, Int32(POSIX_FADV_DONTNEED))
  }
}

extension String {
  /// Writes this text as a file.
  func write(to path: String) throws {
    let file = try checked("create \(path)") {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    defer { close(file) }
    let bytes = Array(utf8)
    try Content.send(bytes, count: bytes.count, to: file, path)
  }
}
