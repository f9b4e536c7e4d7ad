import Glibc

/// Why a program closes a file, as far as it shows from outside.
package enum CloseCause: Sendable {
  /// It wants to, or comes to its end by itself; also where nobody can tell.
  case ordinary
  /// A signal has killed it.
  case killed
  /// It becomes another program, by exec(2), which closes what was opened with O_CLOEXEC.
  case exec

  /// Looks at a thread, by the id that the kernel gives with its request, while that is not answered: then it is still
  /// there.
  ///
  /// May block: in exec(2) the kernel holds a lock of the program (`exec_update_lock`) until its files are closed, and
  /// much of `/proc` waits for that. So this is never called by a thread that the answer to the request waits for
  /// (`CloseCauses`), and what takes no such lock is looked at first.
  package static func look(at thread: Int32) -> CloseCause {
    // Pages of the whole and of the program's code are the first and the fourth number, as of proc(5).
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
    // Behind the name in brackets: flags are the seventh, the exit code is the 50th of these, as of proc(5).
    guard let fields = fields("/proc/\(thread)/stat", limit: 4_096), fields.count > 49 else {
      return false
    }
    return fields[6] & exiting != 0 && fields[49] & 0x7f != 0
  }

  /// The numbers in a file of one line, those behind a name in brackets where there is one; 0 for what is no number.
  private static func fields(_ path: String, limit: Int) -> [UInt64]? {
    guard let bytes = try? File.readAll(path, limit: limit) else { return nil }
    let start = bytes.lastIndex(of: UInt8(ascii: ")")).map { $0 + 1 } ?? 0
    return bytes[start...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
      .map { UInt64(String(decoding: $0, as: UTF8.self)) ?? 0 }
  }
}
