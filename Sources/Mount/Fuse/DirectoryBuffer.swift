import CFuse
import CLinux
import Glibc
import Protocol

/// The answer to a READDIR or READDIRPLUS, filled name by name until it is full. Each name says where the
/// listing goes on behind it (`next`).
struct DirectoryBuffer {
  private var bytes: [CChar]
  private var used = 0

  init(size: Int) { bytes = [CChar](repeating: 0, count: size) }

  /// `.` or `..`. Returns: false where it does not fit any more.
  mutating func add(
    _ dots: String, of directory: Node, next: Int64, _ withAttributes: Bool
  ) -> Bool {
    if withAttributes {
      var parameters = noLookup(of: directory)
      return append { fuse_add_direntry_plus(nil, $0, $1, dots, &parameters, off_t(next)) }
    }
    var stat = stat(of: directory)
    return append { fuse_add_direntry(nil, $0, $1, dots, &stat, off_t(next)) }
  }

  /// A name with the attributes of what it is. Returns: false where it does not fit any more.
  mutating func add(_ name: Name, _ entry: EntryReply, next: Int64) -> Bool {
    var parameters = entry.parameters
    let name = name.bytes.cPath
    return append { fuse_add_direntry_plus(nil, $0, $1, name, &parameters, off_t(next)) }
  }

  /// A name among others with attributes. Returns: false where it does not fit any more.
  mutating func add(_ name: Name, withoutAttributes node: Node, next: Int64) -> Bool {
    var parameters = noLookup(of: node)
    let name = name.bytes.cPath
    return append { fuse_add_direntry_plus(nil, $0, $1, name, &parameters, off_t(next)) }
  }

  /// A name. Returns: false where it does not fit any more.
  mutating func add(_ name: Name, _ node: Node, next: Int64) -> Bool {
    var stat = stat(of: node)
    let name = name.bytes.cPath
    return append { fuse_add_direntry(nil, $0, $1, name, &stat, off_t(next)) }
  }

  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<used])) }
  }

  /// What a listing without attributes tells: number and kind.
  private func stat(of node: Node) -> Glibc.stat {
    var stat = Glibc.stat()
    stat.st_ino = UInt(node.fileNumber)
    stat.st_mode = node.kind.format
    return stat
  }

  /// The same, where attributes could be told: without a number of the node the kernel takes it for no lookup.
  private func noLookup(of node: Node) -> fuse_entry_param {
    var parameters = fuse_entry_param()
    parameters.attr = stat(of: node)
    return parameters
  }

  /// libfuse says how much an item takes, and writes it only where it fits.
  private mutating func append(
    _ add: (UnsafeMutablePointer<CChar>?, Int) -> Int
  ) -> Bool {
    let start = used
    // SAFETY: the pointer and the room behind it are handed on for the call only.
    let needed = bytes.withUnsafeMutableBufferPointer { buffer in
      add(buffer.baseAddress.map { $0 + start }, buffer.count - start)
    }
    guard needed <= bytes.count - start else { return false }
    used += needed
    return true
  }
}
