import Control
import Glibc
import Logging
import System
import Window

/// The process that serves the pages, as `fsharefs` sees it: started when somebody asks for it, or
/// at once where guests have links; started again where it ends by itself; ended with `fsharefs`.
///
/// It is another process because it uses the mount as any program does: one that waits for a mount
/// of its own cannot be killed, and what a browser brings about there ends nobody's mount.
final class WindowProcess: Sendable {
  private struct Child: Sendable {
    let pid: pid_t
    /// Its end of this goes with this process, and it with it.
    let life: OwnedDescriptor
    let startedAt: Duration
  }

  private struct State {
    var child: Child?
    /// Those that have not ended, with one that is to.
    var alive: Set<pid_t> = []
    var isStopping = false
  }

  private let settings: WindowProgram.Settings
  private let log: Logger
  private let state = Monitor(State())
  /// Held while one is started.
  private let starting = Locked(())

  init(_ settings: WindowProgram.Settings, log: Logger) {
    self.settings = settings
    self.log = log
  }

  /// The commands that the window answers.
  static let commands: Set<String> = ["window", "guest", "guests", "guest-end"]

  /// Starts it where guests have links. Any thread, which does not wait.
  func startForGuests() {
    guard settings.listen != nil,
      access((settings.folder + "/guests").cPath, F_OK) == 0
    else { return }
    later { [self] in
      if let failure = ensure() { log.error("guests have no way in: \(failure)") }
    }
  }

  /// Has the window answer. Returns at once.
  func answer(
    _ request: ControlRequest, _ reply: @escaping @Sendable (ControlResponse) -> Void
  ) {
    let isGoing = later { [self] in
      if request.command == "guests", !isRunning {
        return reply(.report(GuestsReport(listens: nil, guests: [])))
      }
      if let failure = ensure() { return reply(.refused("there is no window: \(failure)")) }
      do {
        reply(
          try ControlClient.call(
            stateFolder: settings.folder, request: request, timeout: .seconds(30)))
      } catch { reply(.refused("the window does not answer: \(error)")) }
    }
    if !isGoing { reply(.refused("no thread for it: the machine is out of memory")) }
  }

  /// Ends it for good. Blocks for a moment.
  func stop() {
    state.withLock { $0.isStopping = true }
    pause()
  }

  /// Ends it, so that it uses the mount no more, until somebody asks for it again. What a browser
  /// was just leaving is given up. Blocks for a moment.
  func pause() {
    let pid = state.withLock { state -> pid_t? in
      // With its end of the pipe goes its life.
      defer { state.child = nil }
      return state.child?.pid
    }
    guard let pid else { return }
    let hasEnded = state.wait(timeout: Self.patience) { $0.alive.contains(pid) ? nil : true }
    if hasEnded == nil { kill(pid, SIGKILL) }
  }

  private static let patience = Duration.seconds(3)

  private var isRunning: Bool { state.withLock { $0.child != nil } }

  @discardableResult
  private func later(_ body: @escaping @Sendable () -> Void) -> Bool {
    (try? Thread.start(name: "window", body)) != nil
  }

  /// Starts it where it does not run. Returns: why it does not. Blocks.
  private func ensure() -> String? {
    starting.withLock { _ in
      if isRunning { return nil }
      do throws(SystemError) { return try start() } catch { return "\(error)" }
    }
  }

  private func start() throws(SystemError) -> String? {
    var life: [Int32] = [-1, -1]
    try retryingOnInterrupt("pipe") { pipe2(&life, O_CLOEXEC) }
    let (near, far) = (OwnedDescriptor(life[1]), OwnedDescriptor(life[0]))
    var said: [Int32] = [-1, -1]
    try retryingOnInterrupt("pipe") { pipe2(&said, O_CLOEXEC) }
    let answer = OwnedDescriptor(said[0])
    let pid: pid_t
    do {
      // Its ends: here they are closed, so that the end of either process is seen by the other.
      let voice = OwnedDescriptor(said[1])
      pid = try Self.spawn(settings, stdin: far.raw, stdout: voice.raw)
      withExtendedLifetime(voice) {}
    }
    withExtendedLifetime(far) {}
    let child = Child(pid: pid, life: near, startedAt: MonotonicClock.now)
    let isWanted = state.withLock { state -> Bool in
      state.alive.insert(pid)
      if !state.isStopping { state.child = child }
      return !state.isStopping
    }
    if !isWanted { kill(pid, SIGKILL) }
    later { [self] in watch(child) }
    let line = Self.firstLine(answer)
    return line == WindowProgram.ready ? nil : line
  }

  private static func spawn(
    _ settings: WindowProgram.Settings, stdin: Int32, stdout: Int32
  ) throws(SystemError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, stdin, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, stdout, STDOUT_FILENO)
    // Above all not the kernel's end of the mount.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var words = ([WindowProgram.name] + settings.words).map { strdup($0.cPath) } + [nil]
    defer { for word in words { free(word) } }
    var pid = pid_t()
    // SAFETY: the strings live until the call has returned; the child has its own copies.
    let code = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &words, environ)
    guard code == 0 else { throw SystemError(code: code, call: "start the window") }
    return pid
  }

  /// What it says first; where it ends without a word, that.
  private static func firstLine(_ answer: OwnedDescriptor) -> String {
    var text: [UInt8] = []
    var byte: UInt8 = 0
    let deadline = MonotonicClock.now + .seconds(20)
    while text.count < 4096 {
      var waiting = pollfd(fd: answer.raw, events: Int16(POLLIN), revents: 0)
      let left = deadline - MonotonicClock.now
      guard left > .zero else { return "it does not get going" }
      guard poll(&waiting, 1, Int32(left / .milliseconds(1)) + 1) > 0 else { continue }
      guard read(answer.raw, &byte, 1) == 1 else { break }
      if byte == UInt8(ascii: "\n") { return String(decoding: text, as: UTF8.self) }
      text.append(byte)
    }
    return text.isEmpty ? "it ended at once" : String(decoding: text, as: UTF8.self)
  }

  private func watch(_ child: Child) {
    var status: Int32 = 0
    while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
    let isMissed = state.update { state -> Bool in
      state.alive.remove(child.pid)
      guard !state.isStopping, state.child?.pid == child.pid else { return false }
      state.child = nil
      return true
    }
    // One that never got going said why to who asked.
    guard isMissed, MonotonicClock.now - child.startedAt > .seconds(5) else { return }
    log.error("the window ended by itself (\(status)), and is started again")
    if let failure = ensure() { log.error("there is no window: \(failure)") }
  }
}
