import Core
import Logging
import System

/// What the hub keeps of its clients. Where the disk is full, or fails, the hub goes on, and writes
/// it when there is room: until then a restart would know less.
extension HubRuntime {
  func persist(_ note: () throws(SystemError) -> Void) {
    // What is behind is written as a whole, when there is room.
    guard registryTryAt == nil else { return }
    do throws(SystemError) { try note() } catch {
      log.critical("the registry waits until the disk takes it: \(error)")
      shown.withLock { $0.registryTrouble = "\(error)" }
      registryTryAt = MonotonicClock.now + Self.registryTryEvery
      return
    }
    do throws(SystemError) { try registry.compactIfWorthIt { content } } catch {
      log.error("the registry is not made shorter: \(error)")
    }
  }

  /// Writes the registry as a whole where the disk did not take a part of it.
  func tickRegistry(now: Instant) {
    guard let at = registryTryAt, now >= at else { return }
    registryTryAt = now + Self.registryTryEvery
    do throws(SystemError) { try registry.rewrite(content) } catch { return }
    registryTryAt = nil
    shown.withLock { $0.registryTrouble = nil }
    log.notice("the disk takes the registry again")
  }

  private static let registryTryEvery: Duration = .seconds(1)

  private var content: HubRegistry.Content {
    HubRegistry.Content(
      master: hub.masterKey, clients: hub.kept, lastPublicID: hub.lastPublicID)
  }
}
