import ArgumentParser
import Glibc
import Protocol
import Runtime
import System
import Transport

/// `fshare-hub`: the hub alone, and what its owner may ask about it.
@main
struct FshareHubCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fshare-hub",
    abstract: "Relays between the members of one group; keeps no file of theirs.",
    discussion: "Without a subcommand it serves: fshare-hub --listen :7420",
    version: ProgramVersion.text,
    subcommands: [ServeCommand.self, ClaimCodeCommand.self],
    defaultSubcommand: ServeCommand.self)

  /// Paths are bytes, so the words are not taken as Swift has them.
  static func main() {
    CoreDump.forbid()
    // The parser has a name of its own for the help with all options.
    main(Arguments.all.map { $0 == "--help-all" ? "--help-hidden" : $0 })
  }

  /// The state folder that is used where none is given.
  static var defaultState: String { XDG.state + "/hub" }

  /// Writes to stdout, at once.
  static func say(_ line: String) throws {
    try File.writeAll(Array((line + "\n").utf8), to: STDOUT_FILENO, "stdout")
  }

  /// Runs a subcommand to its end; a failure is one line and its exit code.
  static func run(_ body: () throws -> Void) {
    do {
      try body()
    } catch let ending as Ending {
      fail(ending)
    } catch let error as AddressError {
      fail(Ending(.usage, "\(error)"))
    } catch {
      fail(Ending(.failure, "\(error)"))
    }
  }

  private static func fail(_ ending: Ending) -> Never {
    try? File.writeAll(Array("fshare-hub: \(ending.text)\n".utf8), to: STDERR_FILENO, "stderr")
    Glibc.exit(ending.code.rawValue)
  }
}
