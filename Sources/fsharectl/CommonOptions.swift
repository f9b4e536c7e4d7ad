import ArgumentParser
import System

/// The options of every command.
struct CommonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A path in the mount that is meant.",
      discussion: "Default: the mount of PATH or of the current directory, else the only one.",
      valueName: "path"),
    completion: Candidates.mounts)
  var mount: String?

  @Option(
    name: .customLong("state"),
    help: ArgumentHelp(
      "State folder of the program that is meant.", discussion: "Default: $FSHAREFS_STATE.",
      valueName: "dir"),
    completion: .directory)
  var state: String?

  @Flag(help: "Write JSON, for scripts (docs/control.md).")
  var json = false

  func validate() throws {
    if mount != nil, state != nil { throw ValidationError("give --mount or --state, not both") }
  }

  /// The state folder that is meant. `path`: what the command is about, where that may lie in a
  /// mount. Where nothing is known to run, that of `fsharefs` without `--state`. Absolute: a command
  /// may leave the directory that it was typed in. Throws `ExitCode`.
  func stateFolder(
    about path: String? = nil, for audience: MountFinder.Audience = .anybody
  ) throws -> String {
    do throws(MountFinder.NotFound) {
      return File.absolute(
        try MountFinder.stateFolder(state: state, mount: mount, about: path, for: audience))
    } catch {
      // The list of those that run has lines of its own.
      for line in error.text.split(separator: "\n") { Console.remark(String(line)) }
      throw error.code
    }
  }
}
