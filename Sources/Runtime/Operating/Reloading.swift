package import Logging
package import System

/// What SIGHUP asks of a program: to open its log again under its name, and to read its settings.
///
/// One at a time, or the older settings might be the last to be taken; asked meanwhile, it is done
/// once more.
package final class Reloading: Sendable {
  private enum Progress {
    case idle
    case underWay
    /// It was asked for while it was under way.
    case wantedAgain
  }

  private let progress = Locked(Progress.idle)
  private let log: Logger
  private let logFile: LogFile?
  private let notifier: ServiceNotifier

  /// `logFile`: the log of this process, where it is a file of its own.
  package init(log: Logger, logFile: LogFile?, notifier: ServiceNotifier) {
    self.log = log
    self.logFile = logFile
    self.notifier = notifier
  }

  /// Begins it, on a thread of its own: whoever calls must not wait for a disk. `take`: reads the
  /// settings, and has the program go on with them.
  package func begin(_ take: @escaping @Sendable () throws(Ending) -> Void) {
    let begins = progress.withLock { progress in
      defer { progress = progress == .idle ? .underWay : .wantedAgain }
      return progress == .idle
    }
    guard begins else { return }
    do throws(SystemError) {
      _ = try Thread.start(name: "reloading") { [self] in
        repeat { reload(take) } while goesOn
      }
    } catch {
      progress.withLock { $0 = .idle }
      log.error("the settings are not read again: \(error)")
    }
  }

  private var goesOn: Bool {
    progress.withLock { progress in
      progress = progress == .wantedAgain ? .underWay : .idle
      return progress == .underWay
    }
  }

  private func reload(_ take: @Sendable () throws(Ending) -> Void) {
    notifier.reloading()
    logFile?.reopen()
    do throws(Ending) {
      try take()
      log.notice("the settings were read again, and the log opened")
    } catch {
      log.error("not all settings were read again: \(error)")
    }
    notifier.ready()
  }
}
