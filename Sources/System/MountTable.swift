/// One line of the kernel's table of mounts.
package struct Mounted: Equatable, Sendable {
  /// `MAJ:MIN`: the same for a mount and what was bound to another place.
  package let device: String
  package let mountpoint: [UInt8]
  package let type: String
  /// Whose mount it is, of FUSE.
  package let user: UInt32?

  /// Whether `fsharefs` serves it.
  package var isOurs: Bool { type == "fuse.fsharefs" }
}

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
  package static func points(below folder: [UInt8]) -> Set<[UInt8]> {
    let slash = UInt8(ascii: "/")
    let above = folder.last == slash ? folder : folder + [slash]
    return Set(
      lines.compactMap { fields in
        let point = unescaped(fields[4])
        return point.count > above.count && point.starts(with: above)
          ? Array(point[above.count...]) : nil
      })
  }

  private static func entry(of mountpoint: String) -> Mounted? {
    let mountpoint = mountpoint.pathBytes
    return all.last { $0.mountpoint == mountpoint }
  }

  /// What is mounted, in the kernel's order: of two at one path the later hides the earlier.
  package static var all: [Mounted] {
    lines.compactMap { fields in
      guard let dash = fields.firstIndex(of: [UInt8(ascii: "-")]), dash + 1 < fields.count else {
        return nil
      }
      let options = dash + 3 < fields.count ? text(fields[dash + 3]) : ""
      return Mounted(
        device: text(fields[2]), mountpoint: unescaped(fields[4]), type: text(fields[dash + 1]),
        user: options.split(separator: ",").lazy.compactMap { option in
          option.hasPrefix("user_id=") ? UInt32(option.dropFirst("user_id=".count)) : nil
        }.first)
    }
  }

  /// What an absolute path lies on; nil where the table cannot be read. `table`: as of `all`. Never
  /// touches a mount.
  package static func covering(_ path: String, in table: [Mounted] = all) -> Mounted? {
    let path = path.pathBytes
    var found: Mounted?
    for one in table where File.isSameOrBelow(path, one.mountpoint) {
      if one.mountpoint.count >= found?.mountpoint.count ?? 0 { found = one }
    }
    return found
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
