import CLinux
import Glibc
import System

/// What is below a folder, for comparing two sides. Paths are bytes.
struct Tree: Equatable, CustomStringConvertible {
  /// One file, folder or link.
  struct Item: Equatable {
    var kind: String
    /// As their owner set them; of a file, what others see of that (S3).
    var permissions: UInt32
    var size: Int64
    /// 0 where it is not compared (folders, links).
    var modified: timespec
    var digest: UInt64
    var target: [UInt8]
  }

  /// By path below the folder.
  var items: [[UInt8]: Item] = [:]

  /// Reads everything, contents too. `timesMatter`: whether files' times are taken in.
  init(_ folder: String, timesMatter: Bool = true) throws(SystemError) {
    try add(Array(folder.utf8), [], timesMatter)
  }

  var description: String {
    items.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { path, item in
      "\(String(decoding: path, as: UTF8.self)): \(item)"
    }.joined(separator: "\n")
  }

  /// What the two have not in common, for a failure's text.
  func difference(_ other: Tree) -> String {
    var text: [String] = []
    for path in Set(items.keys).union(other.items.keys) where items[path] != other.items[path] {
      let name = String(decoding: path, as: UTF8.self)
      let mine = items[path].map { "\($0)" } ?? "nothing"
      let theirs = other.items[path].map { "\($0)" } ?? "nothing"
      text.append("\(name): \(mine) <> \(theirs)")
    }
    return text.isEmpty ? "nothing" : text.sorted().joined(separator: "\n")
  }

  private mutating func add(_ folder: [UInt8], _ prefix: [UInt8], _ timesMatter: Bool)
    throws(SystemError)
  {
    for name in try Tree.names(in: folder) {
      let path = folder + [0x2f] + name
      let key = prefix.isEmpty ? name : prefix + [0x2f] + name
      let stat = try Stat(at: AT_FDCWD, name: path)
      // Pipes and the like show to their owner alone (S80), and to open one is to wait for its
      // other end.
      guard stat.isRegular || stat.isDirectory || stat.isSymlink else { continue }
      var item = Item(
        kind: "file",
        permissions: stat.isRegular ? Tree.seen(stat.permissions) : stat.permissions,
        size: stat.size,
        modified: timesMatter ? stat.mtime : timespec(), digest: 0, target: [])
      if stat.isDirectory {
        item.kind = "folder"
        item.size = 0
        item.modified = timespec()
        try add(path, key, timesMatter)
      } else if stat.isSymlink {
        item.kind = "link"
        item.modified = timespec()
        item.permissions = 0
        item.target = try Tree.target(path)
      } else {
        item.digest = try Tree.digest(path)
      }
      items[key] = item
    }
  }

  /// The bits of a file's mode that show at whoever has it not (S3): to its owner too they are
  /// compared so.
  static func seen(_ permissions: UInt32) -> UInt32 {
    permissions & ~0o072 | (permissions & 0o500) >> 3
  }

  /// The names in a folder, sorted.
  static func names(in folder: [UInt8]) throws(SystemError) -> [[UInt8]] {
    guard let stream = opendir(Tree.c(folder)) else {
      throw SystemError("opendir \(String(decoding: folder, as: UTF8.self))")
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(stream) {
      // SAFETY: `d_name` is NUL-terminated within the entry, which lives until the next readdir.
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        Array(bytes.prefix { $0 != 0 })
      }
      if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
      errno = 0
    }
    let code = errno
    guard code == 0 else {
      throw SystemError(code: code, call: "readdir \(String(decoding: folder, as: UTF8.self))")
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Removes a file, or a folder with all below it; what is mounted there makes it fail with EBUSY.
  static func remove(_ path: [UInt8]) throws(SystemError) {
    if try Stat(at: AT_FDCWD, name: path).isDirectory {
      for name in try names(in: path) { try remove(path + [0x2f] + name) }
      try retryingOnInterrupt("rmdir") { rmdir(c(path)) }
    } else {
      try retryingOnInterrupt("unlink") { unlink(c(path)) }
    }
  }

  private static func target(_ path: [UInt8]) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = try retryingOnInterrupt("readlink") { readlink(c(path), &buffer, buffer.count) }
    return buffer[..<count].map { UInt8(bitPattern: $0) }
  }

  /// FNV-1a over 8-byte words: finds any difference that is not made on purpose.
  static func digest(_ path: [UInt8]) throws(SystemError) -> UInt64 {
    let name = String(decoding: path, as: UTF8.self)
    let file = OwnedDescriptor(
      try retryingOnInterrupt("open \(name)") { open(c(path), O_RDONLY | O_CLOEXEC) })
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    var hash = emptyDigest
    while true {
      let count = try retryingOnInterrupt("read \(name)") { read(file.raw, &piece, piece.count) }
      if count == 0 { return hash }
      hash = digest(of: piece[..<count], from: hash)
    }
  }

  /// The same, of bytes.
  static func digest(of bytes: [UInt8]) -> UInt64 { digest(of: bytes[...], from: emptyDigest) }

  private static let emptyDigest: UInt64 = 0xcbf2_9ce4_8422_2325

  private static func digest(of bytes: ArraySlice<UInt8>, from start: UInt64) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// A path as C wants it.
  static func c(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}
