import ArgumentParser
import Glibc
import Hostile
import Protocol
import System

/// A member that does one thing as fast as it can, for measuring what others feel of it. It prints
/// `number N` when it waits for approval, then `flooding`; it ends when it is told to (SIGTERM), or the hub
/// ends its connection.
@main
struct FshareLiar: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fshare-liar",
    abstract: "Flood a hub of your own, on this machine, as an approved member.")

  @Argument(help: "127.0.0.1:PORT of the hub.")
  var hub: String

  @Argument(
    help: "What it does: \(Flood.allCases.map(\.rawValue).joined(separator: ", ")).",
    transform: { try FshareLiar.flood($0) })
  var flood: Flood

  @Option(help: "A path in the share: whose bytes it wants.")
  var target: String?

  func run() throws {
    let liar = try Liar(to: hub) { try say("number \($0.value)") }
    let listed = try target.map { path in
      guard let found = try liar.list()[path] else { throw ValidationError("no \(path)") }
      return found
    }
    let source = try FloodSource(flood, by: liar, of: hub, target: listed)
    try say("flooding")
    while true {
      do {
        try source.next()
      } catch let error as SystemError where error.code == EAGAIN {
        // The hub does not read from it for now.
      }
    }
  }

  private func say(_ line: String) throws {
    let bytes = Array((line + "\n").utf8)
    guard bytes.withUnsafeBytes({ write(1, $0.baseAddress, $0.count) }) == bytes.count else {
      throw ExitCode.failure
    }
  }

  private static func flood(_ text: String) throws -> Flood {
    guard let flood = Flood(rawValue: text) else { throw ValidationError("no such flood: \(text)") }
    return flood
  }
}
