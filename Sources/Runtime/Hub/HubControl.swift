import Control
import Glibc
package import Logging
import State
import System

/// What a hub alone tells `fsharectl`: that it runs, and where.
package enum HubControl {
  /// Serves the control socket of a hub; nil, with a line in the log, where that is not possible.
  /// `listens`: where the hub does. Returns: what ends it.
  package static func start(
    _ hub: HubRuntime, listens: String, stateFolder: String, log: Logger
  ) -> (@Sendable () -> Void)? {
    let fingerprint = "\(hub.fingerprint)"
    let record = RunningRecord(
      role: .hub, pid: getpid(), stateFolder: File.resolved(stateFolder) ?? stateFolder,
      mountpoint: nil)
    let server = ControlServer(stateFolder: stateFolder, record: record, log: log) {
      request, reply in
      guard request.command == "status" else {
        return reply(
          .refused("a hub alone knows no names and no files: ask where the share is mounted"))
      }
      // The code is there for as long as nobody has used it.
      let claim = "\(stateFolder)/\(StateKind.claimCode.rawValue)"
      reply(
        .report(
          HubReport(
            listens: listens, fingerprint: fingerprint, hasMaster: access(claim.cPath, F_OK) != 0,
            stateFolder: record.stateFolder, version: ProgramVersion.text)))
    }
    do { try server.start() } catch {
      log.error("fsharectl will not work: \(error)")
      return nil
    }
    return { server.stop() }
  }
}
