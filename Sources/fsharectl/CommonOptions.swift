import ArgumentParser
import System

/// The options of every command.
struct CommonOptions: ParsableArguments {
  @Option(
    name: .customLong("state"),
    help: ArgumentHelp(
      "State folder of the fsharefs that is meant.",
      discussion: "Default: $FSHAREFS_STATE, else ~/.local/state/fsharefs.", valueName: "dir"),
    completion: .directory)
  var state: String?

  @Flag(help: "Write JSON, for scripts.")
  var json = false

  /// The state folder that is meant.
  var stateFolder: String { state ?? Environment.get("FSHAREFS_STATE") ?? XDG.state }
}
