import ArgumentParser
import Runtime

/// What everybody needs.
struct MountOptions: ParsableArguments {
  @Flag(help: "Begin a group, and come back as who began it: run hub and master app here too.")
  var host = false

  @Option(
    help: ArgumentHelp("The folder in which one's own files lie.", valueName: "dir"),
    completion: .directory)
  var own: String?

  @Option(help: ArgumentHelp("This device's name.", valueName: "name"))
  var name: String?

  @Option(
    help: ArgumentHelp(
      "A folder in which what is read of others' files is kept, also for the next run.",
      valueName: "dir"),
    completion: .directory)
  var cache: String?

  @Option(help: ArgumentHelp("MiB that --cache may hold (default 10240).", valueName: "mib"))
  var cacheSize: Int?

  @Flag(help: "Mount at once, empty, and go on connecting for ever.")
  var nowait = false

  @Flag(help: "Take no option of the last start; those given now are kept in their place.")
  var fresh = false

  @Option(
    help: ArgumentHelp(
      "The folder of keys, index and control socket: one for each group.", valueName: "dir"),
    completion: .directory)
  var state: String?

  @Flag(name: [.customShort("f"), .customLong("foreground")], help: "Stay in the foreground.")
  var foreground = false

  @Flag(help: "Log more.")
  var verbose = false

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp(MountOption.help, valueName: "option"),
    completion: .list(MountOption.completions))
  var options: [String] = []
}
