import Glibc
import System

/// What the kernel says is mounted where.
package enum MountTable {
  /// `MAJ:MIN` of what is mounted on a path; nil where nothing is. Never touches the mount itself.
  package static func device(of mountpoint: String) -> String? {
    entry(of: mountpoint)?.device
  }

  /// Type of the file system that is mounted on a path; nil where nothing is.
  package static func type(of mountpoint: String) -> String? {
    entry(of: mountpoint)?.type
  }

  /// Paths below a folder on which something is mounted, relative to it.
  static func points(below folder: [UInt8]) -> Set<[UInt8]> {
    let slash = UInt8(ascii: "/")
    let above = folder.last == slash ? folder : folder + [slash]
    return Set(
      lines.compactMap { fields in
        let point = unescaped(fields[4])
        return point.count > above.count && point.starts(with: above)
          ? Array(point[above.count...]) : nil
      })
  }

  private typealias Entry = (device: String, mountpoint: [UInt8], type: String)

  private static func entry(of mountpoint: String) -> Entry? {
    let mountpoint = mountpoint.pathBytes
    return entries.last { $0.mountpoint == mountpoint }
  }

  private static var entries: [Entry] {
    lines.compactMap { fields in
      guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), dash + 1 < fields.count else {
        return nil
      }
      return (text(fields[2]), unescaped(fields[4]), text(fields[dash + 1]))
    }
  }

  /// The fields of each line: more than six.
  private static var lines: [[[UInt8]]] {
    guard let bytes = try? File.readAll("/proc/self/mountinfo", limit: 16 << 20) else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(separator: UInt8(ascii: " ")).map { Array($0) }
      return fields.count > 6 ? fields : nil
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The kernel writes blanks and backslashes as three octal digits.
  private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
        let value = UInt8(text(Array(bytes[(index + 1)...(index + 3)])), radix: 8)
      {
        result.append(value)
        index += 4
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }
}

/// fuse3's set-uid helper, for who may not call umount(2).
package enum Fusermount {
  /// Runs `fusermount3 -u`, with `-z` where `lazily`. Returns: whether it succeeded. Blocks.
  @discardableResult
  package static func unmount(_ mountpoint: String, lazily: Bool) -> Bool {
    let words = ["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", mountpoint]
    var arguments = words.map { strdup($0.cPath) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    // SAFETY: the argument strings live until the call has returned; the child has its own copy.
    guard posix_spawnp(&child, "fusermount3", nil, nil, &arguments, environ) == 0 else {
      return false
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }
}
