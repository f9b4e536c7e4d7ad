import Glibc
import State
package import System

/// The options of the last start, kept with the state: who began a group with `--host --own DIR`
/// comes back with the mountpoint alone. A line each, as it stands behind `-o`.
///
/// Only what a person typed is kept: what fstab or a unit says is said there, for every start, and
/// must be gone when it is taken out there.
package enum KeptOptions {
  /// What is about one start alone, or kept elsewhere.
  private static let notKept: Set<String> = [
    "state", "name", "nowait", "fresh", "foreground", "verbose", "claim-file", "nofail",
  ]

  /// Whether an option is for the starts to come too.
  static func isKept(_ name: String) -> Bool {
    guard let option = MountOption.named(name), !notKept.contains(name) else { return false }
    switch option.meaning {
    case .commandLine, .setting, .kernel: return true
    case .cancels, .fixed, .fstab, .preparation: return false
    }
  }

  /// What a state folder has kept. What only a later version knows is passed over. Throws: an
  /// ending with code 73 for a file that is damaged, or that others can read.
  package static func read(in stateFolder: String) throws(Ending) -> [SaidSetting] {
    let bytes: [UInt8]?
    do throws(StateFault) { bytes = try SmallFile.bytes(.options, path(in: stateFolder)) } catch {
      throw Ending(error)
    }
    return (bytes ?? []).split(separator: UInt8(ascii: "\n")).compactMap { line in
      OptionWords.split(String(pathBytes: Array(line))).first
    }.compactMap { option in
      guard let (known, value) = try? MountOption.found(option), isKept(known.name) else {
        return nil
      }
      return SaidSetting(known.name, value)
    }
  }

  /// Keeps options for the next start, in the place of those that were kept. Durable on return.
  package static func write(_ options: [SaidSetting], in stateFolder: String) throws(SystemError) {
    let lines = options.map { OptionWords.joined([$0.option]).pathBytes.flatMap(escaped) }
    try StateFile.write(
      .options, path(in: stateFolder), lines.flatMap { $0 + [UInt8(ascii: "\n")] })
  }

  /// A path may have a newline in it; `OptionWords` knows `\012`.
  private static func escaped(_ byte: UInt8) -> [UInt8] {
    byte == UInt8(ascii: "\n") ? Array("\\012".utf8) : [byte]
  }

  private static func path(in stateFolder: String) -> String {
    "\(stateFolder)/\(StateKind.options.rawValue)"
  }
}
