import CLinux
import Glibc

/// What the process does about signals.
package enum Signals {
  /// The signals that ask a program to end, SIGTERM and SIGINT, or to look again at its settings,
  /// SIGHUP.
  package static let watched: [Int32] = [SIGTERM, SIGINT, SIGHUP]

  /// Ignores SIGPIPE, and lets the watched signals end the process until a `SignalWatcher` takes
  /// them, also where whoever started it had them blocked. Call first in `main`, before any thread.
  package static func prepareProcess() {
    var set = watchedSet
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
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

/// A thread that calls a handler for each SIGTERM, SIGINT or SIGHUP.
package final class SignalWatcher: Sendable {
  /// Somebody who waits for this process at the other end of a pipe.
  package struct Waiter: Sendable {
    /// This process's end; kept open for as long as the watcher runs.
    package let pipe: OwnedDescriptor
    /// Called once, on the watcher's thread, when the other end is closed.
    package let gone: @Sendable () -> Void

    /// Somebody at the other end of `pipe`.
    package init(pipe: OwnedDescriptor, gone: @escaping @Sendable () -> Void) {
      self.pipe = pipe
      self.gone = gone
    }
  }

  private let stopping: OwnedDescriptor
  private let thread: JoinableThread

  /// Blocks the watched signals in the calling thread, which is to be the only one or to have none
  /// but those of `Thread.start`, and starts the thread; `handler` is called in it with the
  /// signal's number. It must not wait: the next signal would.
  package init(
    waiter: Waiter? = nil, _ handler: @escaping @Sendable (Int32) -> Void
  ) throws(SystemError) {
    var set = Signals.watchedSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let signals = OwnedDescriptor(
      try retryingOnInterrupt("signalfd") { signalfd(-1, &set, Int32(SFD_CLOEXEC)) })
    let stopping = OwnedDescriptor(
      try retryingOnInterrupt("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
    self.stopping = stopping
    thread = try Thread.start(name: "signals") {
      watch(signals: signals, stopping: stopping, waiter: waiter, handler: handler)
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
  signals: OwnedDescriptor, stopping: OwnedDescriptor, waiter: SignalWatcher.Waiter?,
  handler: (Int32) -> Void
) {
  // Of a pipe's end for writing poll(2) says POLLERR, unasked, once nobody can read it any more.
  var watched = [
    pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
    pollfd(fd: stopping.raw, events: Int16(POLLIN), revents: 0),
    pollfd(fd: waiter?.pipe.raw ?? -1, events: 0, revents: 0),
  ]
  while true {
    guard poll(&watched, 3, -1) >= 0 || errno == EINTR else { return }
    if watched[1].revents != 0 { return }
    if watched[2].revents != 0 {
      watched[2] = pollfd(fd: -1, events: 0, revents: 0)
      waiter?.gone()
    }
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    if watched[0].revents != 0, read(signals.raw, &info, size) == size {
      handler(Int32(info.ssi_signo))
    }
  }
}
