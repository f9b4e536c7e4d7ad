import CWebSockets
import DequeModule
import Glibc
import Logging
import System

/// What a service loop tells its owner. Everything is called on the service thread.
protocol ServiceEvents: AnyObject {
  /// The loop has begun.
  func loopStarted()
  /// Something happened to `socket`; the answer is libwebsockets' (0, or -1 to close it).
  func socketEvent(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer
  ) -> Int32
  /// Another thread called `wake`.
  func loopWoken()
  /// `writeSoon` was called for `socket`; the answer is libwebsockets' (0, or -1 to close it).
  func socketWritable(_ socket: OpaquePointer) -> Int32
  /// The time between two looks at the clocks has passed.
  func tick(now: Duration)
  /// The loop is about to end: its sockets are closed next.
  func loopStopping()
  /// Every socket is closed.
  func loopStopped()
}

/// One context of libwebsockets with one thread that serves it.
// SAFETY: what other threads reach is under `shared`; the rest belongs to the service thread, or
// is written before that thread exists.
final class ServiceLoop: @unchecked Sendable {
  private struct Shared {
    var context: OpaquePointer?
    var work: [@Sendable () -> Void] = []
    /// Something waits for `runWork`.
    var wakePending = false
    /// The loop looks for `wakePending` by itself.
    var isBusyPolling = false
    var isStopping = false
    var thread: JoinableThread?
  }

  /// The loop's name: the name of its thread, at most 15 bytes.
  let name: String
  /// Room for one message with libwebsockets' headroom before it. Service thread only.
  let scratch: WriteBuffer
  private let shared = Locked(Shared())
  let protocols: ServiceProtocols
  private let tickEvery: Duration
  private let isServer: Bool
  let tls: TLS?
  private let descriptorLimit: Int
  private let headerBytes: Int
  private var events: (any ServiceEvents)?
  /// Service thread only; nil where it does not run.
  private(set) var context: OpaquePointer?
  private var timer: ServiceTimer?
  private var ticker: ServiceTimer?
  private var timerFired: () -> Void = {}
  /// Sockets for which `writeSoon` was called and that had no turn yet.
  private var unwritten: Deque<OpaquePointer> = []
  /// How many calls of `events` this one is in.
  private var depth = 0
  /// Calls of `events` for sockets, ever.
  private var socketEvents: UInt64 = 0
  /// Within a call for what was received: `runWork` follows before the loop sleeps. Not so where
  /// libwebsockets closes a socket in a timer: those it runs just before it sleeps.
  private var isReceiving = false
  private static let receptions = [
    LWS_CALLBACK_RECEIVE, LWS_CALLBACK_CLIENT_RECEIVE, LWS_CALLBACK_RAW_RX,
  ]
  private var busyPolling = BusyPolling()

  /// A loop that does nothing before `start`. `descriptorLimit` 0 takes the process's.
  /// `headerBytes`: of the head of an HTTP request; 0: a few.
  init(
    name: String, isServer: Bool, descriptorLimit: Int, tls: TLS?, limits: TransportLimits,
    headerBytes: Int = 0
  ) {
    self.headerBytes = headerBytes
    self.name = name
    self.isServer = isServer
    self.tls = tls
    self.descriptorLimit = descriptorLimit
    tickEvery = limits.tickEvery
    protocols = ServiceProtocols()
    scratch = WriteBuffer(capacity: max(limits.maxMessage, BulkStream.gatherLimit))
  }

  /// Makes the context and starts the thread. Once. `timerFired` is called for `setTimer`.
  func start(events: any ServiceEvents, timerFired: @escaping () -> Void) throws(SystemError) {
    quietLibrary()
    var info = lws_context_creation_info()
    info.port = isServer ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN
    info.protocols = UnsafePointer(protocols.list)
    info.options = UInt64(LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME)
    prepareTLS(&info)
    // SAFETY: unretained; the thread below keeps `self` until the context is destroyed.
    info.user = Unmanaged.passUnretained(self).toOpaque()
    info.fd_limit_per_thread = UInt32(descriptorLimit)
    info.max_http_header_data2 = UInt32(headerBytes)
    // 256 KiB: the 4 KiB default moves a third of the bytes per second.
    info.pt_serv_buf_size = UInt32(ServiceProtocols.bufferSize)
    // The limits of this module are shorter; these are only a second fence.
    info.timeout_secs = 60
    info.connect_timeout_secs = 60
    // An empty address keeps libwebsockets from following $http_proxy, which would send the
    // streams of a hub in the next room through a proxy. The string is copied.
    let made = "".withCString { none in
      info.http_proxy_address = none
      return lws_create_context(&info)
    }
    guard let made else {
      throw SystemError("create the libwebsockets context of \(name)")
    }
    context = made
    self.events = events
    self.timerFired = timerFired
    shared.withLock { $0.context = made }
    do throws(SystemError) {
      let thread = try Thread.start(name: name) { self.run() }
      shared.withLock { $0.thread = thread }
    } catch {
      shared.withLock { $0.context = nil }
      self.events = nil
      context = nil
      lws_context_destroy(made)
      throw error
    }
  }

  /// Ends the thread, which closes every socket, and waits for it. Never from that thread.
  func stop() {
    let thread = shared.withLock { state in
      state.isStopping = true
      if let context = state.context { lws_cancel_service(context) }
      return state.thread
    }
    thread?.join()
  }

  /// Runs `work` on the service thread. Dropped once the loop has stopped. Any thread.
  func perform(_ work: @escaping @Sendable () -> Void) {
    shared.withLock { state in
      guard !state.isStopping else { return }
      state.work.append(work)
      wake(&state)
    }
  }

  /// Has `loopWoken` called soon, once for any number of calls. Any thread.
  func wake() {
    shared.withLock { wake(&$0) }
  }

  /// Has `socketWritable` called as soon as the present callback is done. Most often the kernel
  /// takes a write at once, and asking it first costs a round of the loop for each hop of each
  /// message. Service thread only.
  func writeSoon(_ socket: OpaquePointer) {
    assertServiceThread()
    unwritten.append(socket)
  }

  /// Sets or (nil) cancels the loop's one timer. Service thread only.
  func setTimer(after delay: Duration?) {
    assertServiceThread()
    timer?.set(after: delay)
  }

  /// Another timer; nil where the loop does not run. It must be gone when the loop stops. Service
  /// thread only.
  func makeTimer(_ fired: @escaping () -> Void) -> ServiceTimer? {
    assertServiceThread()
    return context.map { ServiceTimer(context: $0) { [unowned self] in tell(fired) } }
  }

  /// Traps, in debug builds, when called off the service thread.
  func assertServiceThread() {
    assert(shared.withLock { $0.thread?.isCurrent ?? true }, "service thread only")
  }

  private func wake(_ state: inout Shared) {
    guard !state.wakePending, let context = state.context else { return }
    state.wakePending = true
    if state.isBusyPolling || state.thread?.isCurrent == true && isReceiving { return }
    lws_cancel_service(context)
  }

  private func run() {
    guard let context else { return }
    timer = ServiceTimer(context: context) { [unowned self] in tell { timerFired() } }
    ticker = ServiceTimer(context: context) { [unowned self] in tick() }
    ticker?.set(after: tickEvery)
    events?.loopStarted()
    while true {
      runWork()
      if shared.withLock({ $0.isStopping }) { break }
      if serve(context) < 0 { break }
    }
    events?.loopStopping()
    timer = nil
    ticker = nil
    shared.withLock { state in
      state.isStopping = true
      state.context = nil
      state.work = []
    }
    lws_context_destroy(context)
    self.context = nil
    events?.loopStopped()
    events = nil
    timerFired = {}
  }

  /// Waits for what happens next at the sockets, and serves it. Returns: less than 0 where
  /// libwebsockets fails.
  private func serve(_ context: OpaquePointer) -> Int32 {
    if busyPolling.isWorthwhile {
      let hasHappened = lookAgain(context)
      busyPolling.looked(successfully: hasHappened)
      if hasHappened { return 0 }
    }
    let (start, before) = (MonotonicClock.now, socketEvents)
    let result = lws_service(context, 0)
    let hasHappened = socketEvents != before || shared.withLock { $0.wakePending }
    busyPolling.slept(MonotonicClock.now - start, hasHappened: hasHappened)
    return result
  }

  /// Looks again and again for a while. Returns: whether anything happened.
  private func lookAgain(_ context: OpaquePointer) -> Bool {
    let deadline = MonotonicClock.now + BusyPolling.limit
    let before = socketEvents
    shared.withLock { $0.isBusyPolling = true }
    var isWoken = false
    repeat {
      // Less than 0: do not wait. Where it fails, it fails again when it may.
      if lws_service(context, -1) < 0 { break }
      isWoken = shared.withLock { $0.wakePending || $0.isStopping }
      // Whoever else wants this processor goes first.
      if !isWoken, socketEvents == before { sched_yield() }
    } while !isWoken && socketEvents == before && MonotonicClock.now < deadline
    return shared.withLock { state in
      state.isBusyPolling = false
      return state.wakePending || state.isStopping || socketEvents != before
    }
  }

  private func tick() {
    ticker?.set(after: tickEvery)
    tell { events?.tick(now: MonotonicClock.now) }
  }

  /// Calls the owner; then those sockets have their turn that it gave something to send.
  private func tell<Answer>(_ body: () -> Answer) -> Answer {
    depth += 1
    let answer = body()
    if depth == 1 {
      // A turn may free what others wait for, and so bring about turns of theirs.
      while let socket = unwritten.popFirst() {
        if events?.socketWritable(socket) != 0 { kill(socket) }
      }
    }
    depth -= 1
    return answer
  }

  private func runWork() {
    let work = shared.withLock { state in
      state.wakePending = false
      defer { state.work = [] }
      return state.work
    }
    tell {
      events?.loopWoken()
      for item in work { item() }
    }
  }

  fileprivate func handle(
    _ socket: OpaquePointer, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ count: Int
  ) -> Int32 {
    if reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS {
      if case .server(let server) = tls { return server.configure(user) }
      return 0
    }
    if reason == LWS_CALLBACK_WSI_DESTROY { unwritten.removeAll { $0 == socket } }
    socketEvents &+= 1
    // SAFETY: libwebsockets passes `count` readable bytes, or an address and 0.
    let bytes = UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : count)
    let isOutermost = !isReceiving
    isReceiving = isReceiving || Self.receptions.contains(reason)
    defer { if isOutermost { isReceiving = false } }
    return tell { events?.socketEvent(socket, reason, bytes) ?? 0 }
  }
}

/// What libwebsockets calls for every event of every protocol.
func serviceCallback(
  _ socket: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
  _ input: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
  guard let socket, let pointer = lws_context_user(lws_get_context(socket)) else { return 0 }
  // SAFETY: the context's user is its ServiceLoop, which outlives it.
  return Unmanaged<ServiceLoop>.fromOpaque(pointer).takeUnretainedValue()
    .handle(socket, reason, user, input, count)
}
