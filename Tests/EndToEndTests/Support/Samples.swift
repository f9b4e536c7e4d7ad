import Glibc
import System

/// Contents and folders for tests; the same seed gives the same bytes.
enum Samples {
  /// `count` bytes that do not repeat.
  static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      for index in 0..<count {
        generator ^= generator << 13
        generator ^= generator >> 7
        generator ^= generator << 17
        buffer[index] = UInt8(truncatingIfNeeded: generator)
      }
      written = count
    }
  }

  /// Names that a program must take as they are.
  static let oddNames: [[UInt8]] = [
    Array(" leading and trailing ".utf8), Array("line\nbreak".utf8), Array("-rf".utf8),
    Array("ä ö 漢字 🙂".utf8), [0xff, 0xfe, 0x80, 0x01], Array("quote'\"\\`$x".utf8),
    Array("*?[a]".utf8), [UInt8](repeating: 0x6e, count: 255),
  ]

  /// A folder as people have them: nested, files at the sizes where leaves begin and end, a link,
  /// an empty folder, odd names.
  static func folder(_ path: String, seed: UInt64) throws(SystemError) {
    try Files.makeFolder(path)
    for sub in ["nested", "nested/deeper", "nested/deeper/deepest", "empty folder", "odd"] {
      try Files.makeFolder("\(path)/\(sub)")
    }
    let leaf = 128 * 1024
    let sizes = [0, 1, leaf - 1024, leaf - 1, leaf, leaf + 1, 5_000_000]
    for (index, size) in sizes.enumerated() {
      let file = "\(path)/\(index % 2 == 0 ? "nested/" : "")\(size) bytes"
      try Files.write(file, bytes(size, seed: seed + UInt64(index)))
    }
    try Files.write("\(path)/nested/deeper/deepest/program", "#!/bin/sh\nexit 0\n")
    try Files.chmod("\(path)/nested/deeper/deepest/program", 0o755)
    try Files.write("\(path)/private", "for one's own eyes\n")
    try Files.chmod("\(path)/private", 0o600)
    try Files.symlink("\(path)/nested/link", to: "deeper/deepest/program")
    try Files.symlink("\(path)/nested/deeper/up", to: "../1 byte")
    for (index, name) in oddNames.enumerated() { try odd("\(path)/odd", name, index) }
  }

  private static func odd(_ folder: String, _ name: [UInt8], _ index: Int) throws(SystemError) {
    let path = Tree.c(Array(folder.utf8) + [0x2f] + name)
    let file = OwnedDescriptor(
      try retryingOnInterrupt("create an odd name") {
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      })
    try File.writeAll(bytes(100 + index), to: file.raw, "odd")
  }
}
