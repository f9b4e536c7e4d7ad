import Glibc

/// Why a program closes a file, as far as it shows from outside.
package enum CloseCause: Sendable {
  /// It wants to, or comes to its end by itself; also where nobody can tell.
  case ordinary
  /// A signal has killed it.
  case killed
  /// It becomes another program, by exec(2), which closes what was opened with O_CLOEXEC.
  case exec

  /// Looks at a thread, by the id that the kernel gives with its request, while that is not
  /// answered: then it is still there.
  ///
  /// May block: in exec(2) the kernel holds a lock of the program (`exec_update_lock`) until its
  /// files are closed, and much of `/proc` waits for that. So this is never called by a thread that
  /// the answer to the request waits for (`CloseCauses`), and what takes no such lock is looked at
  /// first.
  package static func look(at thread: Int32) -> CloseCause {
    // Pages of the whole and of the program's code are the first and the fourth number, as of
    // proc(5).
    guard thread > 0, let memory = fields("/proc/\(thread)/statm", limit: 256), memory.count > 3
    else { return .ordinary }
    // At exec(2) the new memory is there, and no program in it yet.
    if memory[0] != 0 { return memory[3] == 0 ? .exec : .ordinary }
    // Without memory: it is ending, and so is in no exec(2).
    return isKilled(thread) ? .killed : .ordinary
  }

  /// The kernel's `PF_EXITING`.
  private static let exiting: UInt64 = 0x4

  private static func isKilled(_ thread: Int32) -> Bool {
    // Behind the name in brackets: flags are the seventh, the exit code is the 50th of these, as of
    // proc(5).
    guard let fields = fields("/proc/\(thread)/stat", limit: 4_096), fields.count > 49 else {
      return false
    }
    return fields[6] & exiting != 0 && fields[49] & 0x7f != 0
  }

  /// The numbers in a file of one line, those behind a name in brackets where there is one; what is
  /// no number counts as some number. Looked at at each close, so it is done by hand.
  private static func fields(_ path: String, limit: Int) -> [UInt64]? {
    guard let bytes = try? File.readAll(path, limit: limit) else { return nil }
    var fields: [UInt64] = []
    var isInField = false
    for byte in bytes {
      switch byte {
      case UInt8(ascii: ")"):
        fields.removeAll(keepingCapacity: true)
        isInField = false
      case UInt8(ascii: " "), UInt8(ascii: "\n"): isInField = false
      default:
        if !isInField { fields.append(0) }
        isInField = true
        fields[fields.count - 1] = fields[fields.count - 1] &* 10 &+ UInt64(byte & 0xf)
      }
    }
    return fields
  }
}
