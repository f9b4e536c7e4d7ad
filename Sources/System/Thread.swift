import CLinux
import Glibc

/// Starts threads of the system. Signals never reach them: they belong to `SignalWatcher`.
package enum Thread {
  /// Runs `body` in a new thread, named `name` (the kernel keeps 15 bytes of it).
  package static func start(
    name: String, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) -> JoinableThread {
    let start = ThreadStart(name: name, body: body)
    var old = sigset_t()
    var blocked = Signals.allButFaults
    pthread_sigmask(SIG_SETMASK, &blocked, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    var handle = pthread_t()
    // SAFETY: one reference is handed to the new thread, which takes it over in `threadMain`.
    let argument = Unmanaged.passRetained(start)
    let code = pthread_create(&handle, nil, threadMain, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      throw SystemError(code: code, call: "start thread \(name)")
    }
    return JoinableThread(handle)
  }
}

/// A started thread. It goes on by itself when nobody joins it.
package final class JoinableThread: Sendable {
  private enum State {
    case running, joining, joined
  }

  private let handle: pthread_t
  private let state = Monitor(State.running)

  fileprivate init(_ handle: pthread_t) {
    self.handle = handle
  }

  deinit {
    if state.withLock({ $0 == .running }) { pthread_detach(handle) }
  }

  /// Waits for the thread's end; at once when it has been joined. Never from the thread itself.
  package func join() {
    precondition(!isCurrent, "a thread cannot join itself")
    let isFirst = state.withLock { state in
      defer { if state == .running { state = .joining } }
      return state == .running
    }
    if isFirst {
      pthread_join(handle, nil)
      state.update { $0 = .joined }
    } else {
      _ = state.wait { $0 == .joined ? true : nil }
    }
  }

  /// Whether the caller runs in this thread. False once it has been joined.
  package var isCurrent: Bool {
    // Only a running thread can ask about itself, and then its handle has not been given anew.
    pthread_equal(handle, pthread_self()) != 0 && state.withLock { $0 != .joined }
  }
}

private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }

  func run() {
    _ = clinux_set_thread_name(name)
    body()
  }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  // SAFETY: `argument` is the reference that `Thread.start` retained for this thread.
  Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
