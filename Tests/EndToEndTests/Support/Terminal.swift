import CLinux
import Glibc
import System

/// A terminal for a program to write to; what it showed is kept.
final class Terminal {
  /// Where a program finds it.
  let path: String
  private let master: OwnedDescriptor
  private var shown: [UInt8] = []

  /// A new terminal. `columns`, `rows`: its size; 0 where it has none.
  init(columns: UInt16 = 0, rows: UInt16 = 0) throws {
    master = OwnedDescriptor(
      try retryingOnInterrupt("open a terminal") {
        posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
      })
    let raw = master.raw
    try retryingOnInterrupt("unlockpt") { unlockpt(raw) }
    var name = [CChar](repeating: 0, count: 128)
    try retryingOnInterrupt("ptsname_r") { ptsname_r(raw, &name, name.count) }
    path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try retryingOnInterrupt("TIOCSWINSZ") { ioctl(raw, UInt(TIOCSWINSZ), &size) }
  }

  /// Types a line.
  func type(_ line: String) throws {
    try File.writeAll(Array((line + "\n").utf8), to: master.raw, "a terminal")
  }

  /// All that was shown until now, as it was written.
  var text: String {
    var piece = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = read(master.raw, &piece, piece.count)
      guard count > 0 else { return String(decoding: shown, as: UTF8.self) }
      shown += piece[..<count]
    }
  }
}
