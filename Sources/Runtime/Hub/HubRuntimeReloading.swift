import Core
import Logging
import Protocol
import Sealing
import State
import System
import Transport

/// What a running hub takes of settings that have changed.
extension HubRuntime {
  /// Goes on with other settings, for what begins from now on, and with the certificate that lies
  /// in the state folder, if it is of the same key. Any thread; blocks on the disk. Throws: an
  /// ending where the certificate cannot be used; the settings are in force all the same.
  package func use(_ settings: Settings) throws(Ending) {
    var settings = settings
    _ = settings.fit(descriptors: DescriptorLimit.current)
    server?.perform { [self, settings] in
      hub.use(settings.hub)
      server?.use(settings.transport)
      queueLimit = settings.transport.controlQueueBytes
    }
    let renewed: TLSIdentity
    do throws(SystemError) {
      // A key that is missing is made at a start only: to members it would be another hub.
      _ = try Stat(path: "\(stateFolder)/\(TLSIdentity.keyName)")
      renewed = try TLSIdentity(folder: stateFolder)
    } catch {
      throw Ending(TLSFiles.fault(error, in: stateFolder))
    }
    guard renewed.fingerprint == fingerprint else {
      throw Ending(
        .folder,
        "\(stateFolder)/\(TLSIdentity.keyName) is another key than members know: the one from "
          + "before stays in use until the next start")
    }
    server?.perform { [self] in
      if server?.use(renewed) == true { return }
      log.error("the certificate is not taken; the old one stays")
    }
  }
}
