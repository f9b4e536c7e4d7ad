import CFuse
import CLinux
import Glibc
import Protocol

/// The answer to a READDIR or READDIRPLUS, filled name by name until it is full. Each name says
/// where the listing goes on behind it (`next`).
struct DirectoryBuffer {
  private var bytes: [CChar]
  private var used = 0
  private let withAttributes: Bool
  private let shown: ShownAttributes

  /// `withAttributes`: for a READDIRPLUS, where attributes can be told, and need not be.
  init(size: Int, withAttributes: Bool, shown: ShownAttributes) {
    self.shown = shown
    bytes = [CChar](repeating: 0, count: size)
    self.withAttributes = withAttributes
  }

  /// A name with the attributes of what it is, which counts as a lookup. Returns: false where it
  /// does not fit any more. Requires: a READDIRPLUS.
  mutating func add(_ name: [UInt8], _ entry: EntryReply, next: Int64) -> Bool {
    add(name, entry.parameters(shown), next: next)
  }

  /// A name, with `st_ino` and kind (as in `st_mode`) of what it is. Returns: false where it does
  /// not fit any more.
  mutating func add(
    _ name: [UInt8], fileNumber: UInt64, format: UInt32, next: Int64
  ) -> Bool {
    // Without a number of the node the kernel takes it for no lookup.
    var parameters = fuse_entry_param()
    parameters.attr.st_ino = UInt(fileNumber)
    parameters.attr.st_mode = format
    return add(name, parameters, next: next)
  }

  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<used])) }
  }

  private mutating func add(
    _ name: [UInt8], _ parameters: fuse_entry_param, next: Int64
  ) -> Bool {
    var parameters = parameters
    let name = name.cPath
    let isPlus = withAttributes
    return append {
      isPlus
        ? fuse_add_direntry_plus(nil, $0, $1, name, &parameters, off_t(next))
        : fuse_add_direntry(nil, $0, $1, name, &parameters.attr, off_t(next))
    }
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
