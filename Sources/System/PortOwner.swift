package import Glibc

/// Who listens on a TCP port of this machine.
package struct PortOwner: Sendable {
  package let process: pid_t
  /// The program's name, as the kernel has it: of at most 15 bytes.
  package let name: String

  /// Looks for it: nil where nobody listens, and where it is another user's process, into which
  /// only root may look. Blocks for as long as it takes to go through all processes.
  package static func ofListener(on port: UInt16) -> PortOwner? {
    let links = Set(inodes(listeningOn: port).map { "socket:[\($0)]" })
    guard !links.isEmpty, let processes = try? FolderItems.of("/proc") else { return nil }
    for item in processes {
      guard let process = pid_t(String(decoding: item.name, as: UTF8.self)),
        let files = try? FolderItems.of("/proc/\(process)/fd")
      else { continue }
      for file in files {
        let path = "/proc/\(process)/fd/\(String(decoding: file.name, as: UTF8.self))"
        var target = [UInt8](repeating: 0, count: 64)
        let count = readlink(path.cPath, &target, target.count)
        guard count > 0, links.contains(String(decoding: target[..<count], as: UTF8.self)) else {
          continue
        }
        let name = (try? File.readAll("/proc/\(process)/comm", limit: 64)) ?? []
        return PortOwner(
          process: process, name: String(decoding: name.prefix { $0 >= 0x20 }, as: UTF8.self))
      }
    }
    return nil
  }

  /// The sockets that listen on a port, by both versions of IP.
  private static func inodes(listeningOn port: UInt16) -> [String] {
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { table -> [String] in
      guard let bytes = try? File.readAll(table, limit: 64 << 20) else { return [] }
      return bytes.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count > 9, fields[3].elementsEqual("0A".utf8),
          let local = fields[1].split(separator: UInt8(ascii: ":")).last,
          UInt16(String(decoding: local, as: UTF8.self), radix: 16) == port
        else { return nil }
        return String(decoding: fields[9], as: UTF8.self)
      }
    }
  }
}
