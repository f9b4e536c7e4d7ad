import CLinux
import Glibc

/// What the process does about signals.
package enum Signals {
  /// The signals that ask a program to end or to look again: SIGTERM, SIGINT, SIGHUP.
  package static let watched: [Int32] = [SIGTERM, SIGINT, SIGHUP]

  /// Blocks the watched signals and ignores SIGPIPE. Call first in `main`, before any thread.
  package static func prepareProcess() {
    var set = watchedSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Every signal but those that a faulting instruction raises in its own thread.
  static var allButFaults: sigset_t {
    var set = sigset_t()
    sigfillset(&set)
    for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] {
      sigdelset(&set, fault)
    }
    return set
  }

  static var watchedSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in watched { sigaddset(&set, number) }
    return set
  }
}

/// A thread that calls a handler for each SIGTERM, SIGINT or SIGHUP (see `prepareProcess`).
package final class SignalWatcher: Sendable {
  private let stopping: OwnedDescriptor
  private let thread: JoinableThread

  /// Starts the thread; `handler` is called in it with the signal's number.
  package init(_ handler: @escaping @Sendable (Int32) -> Void) throws(SystemError) {
    var set = Signals.watchedSet
    let signals = OwnedDescriptor(
      try retryingOnInterrupt("signalfd") { signalfd(-1, &set, Int32(SFD_CLOEXEC)) })
    let stopping = OwnedDescriptor(
      try retryingOnInterrupt("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
    self.stopping = stopping
    thread = try Thread.start(name: "signals") {
      watch(signals: signals, stopping: stopping, handler: handler)
    }
  }

  /// Ends the thread and waits for it, unless called in the handler itself.
  package func stop() {
    var one: UInt64 = 1
    _ = write(stopping.raw, &one, 8)
    if !thread.isCurrent { thread.join() }
  }
}

private func watch(
  signals: OwnedDescriptor, stopping: OwnedDescriptor, handler: (Int32) -> Void
) {
  var watched = [
    pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
    pollfd(fd: stopping.raw, events: Int16(POLLIN), revents: 0),
  ]
  while true {
    guard poll(&watched, 2, -1) >= 0 || errno == EINTR else { return }
    if watched[1].revents != 0 { return }
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    if watched[0].revents != 0, read(signals.raw, &info, size) == size {
      handler(Int32(info.ssi_signo))
    }
  }
}
