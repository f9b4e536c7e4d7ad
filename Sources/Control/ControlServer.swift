import Glibc
package import Logging
import System

/// The answering side of the control socket, with a thread of its own.
///
/// A handler is called on that thread, must not wait, and may answer at once or later, from any
/// thread; only its first answer counts.
package final class ControlServer: Sendable {
  /// Answers by calling its second argument, at once or later, from any thread.
  package typealias Handler =
    @Sendable (ControlRequest, @escaping @Sendable (ControlResponse) -> Void) -> Void

  private struct Running {
    let mailbox: ControlMailbox
    let thread: JoinableThread
    let place: ControlSocket
  }

  private let stateFolder: String
  private let record: RunningRecord?
  private let limits: ControlLimits
  private let log: Logger
  private let handler: Handler
  private let running = Locked<Running?>(nil)

  /// A server for a state folder whose handler may answer later. `record`: what is noted for
  /// `fsharectl` while it serves; nil: nothing.
  package init(
    stateFolder: String, record: RunningRecord? = nil, limits: ControlLimits = ControlLimits(),
    log: Logger = Logger(label: "control"), handler: @escaping Handler
  ) {
    self.stateFolder = stateFolder
    self.record = record
    self.limits = limits
    self.log = log
    self.handler = handler
  }

  /// A server for a state folder whose handler answers at once.
  package convenience init(
    stateFolder: String, limits: ControlLimits = ControlLimits(),
    log: Logger = Logger(label: "control"),
    answeringWith handler: @escaping @Sendable (ControlRequest) -> ControlResponse
  ) {
    self.init(stateFolder: stateFolder, limits: limits, log: log) { request, answer in
      answer(handler(request))
    }
  }

  /// Makes the state folder (0700) if it is missing, then the socket, and serves it.
  ///
  /// Throws `ControlError` (`alreadyRunning`, `notASocket`) or `SystemError`.
  package func start() throws {
    try running.withLock { running in
      precondition(running == nil, "a control server is started once at a time")
      try File.makeDirectories(stateFolder, mode: 0o700)
      let place = try ControlSocket(stateFolder: stateFolder)
      let mailbox = try ControlMailbox()
      let listener = try place.listen()
      let (limits, log, handler) = (limits, log, handler)
      let thread = try Thread.start(name: "control") {
        let loop = ControlLoop(
          listener: listener, mailbox: mailbox, limits: limits, log: log, handler: handler)
        loop.run()
      }
      running = Running(mailbox: mailbox, thread: thread, place: place)
      note()
    }
  }

  /// Takes the socket away, sends the answers that are there and ends the thread; at once when it
  /// is not started. Never from a handler.
  package func stop() {
    let ended = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let ended else { return }
    if let record { RunningRecords.withdraw(record) }
    do {
      try ended.place.remove()
    } catch {
      log.warning("\(error)")
    }
    ended.mailbox.leaveStop()
    ended.thread.join()
  }

  /// Without a record all works, but `fsharectl` has to be told the state folder.
  private func note() {
    guard let record else { return }
    do { try RunningRecords.note(record) } catch {
      log.notice(
        "fsharectl will not find this by itself (give it --state \(stateFolder)): \(error)")
    }
  }
}
