import ArgumentParser
import Runtime
import State

/// `fshare-hub claim-code`: shows what makes a device the master of a hub that has none.
struct ClaimCodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "claim-code",
    abstract: "Shows the code that makes a device the hub's master, while it has none.")

  @Option(help: "The hub's state folder.", completion: .directory)
  var state: String?

  func run() throws {
    FshareHubCommand.run {
      let folder = state ?? FshareHubCommand.defaultState
      try FshareHubCommand.say("\(try ClaimCode.show(in: folder))")
    }
  }
}
