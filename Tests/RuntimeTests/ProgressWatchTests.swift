import Glibc
import Logging
import Runtime
import System
import Testing

/// The watchdog is told of progress by those who make it.
struct ProgressWatchTests {
  @Test func `a loop that does not answer is named, and one that does is asked again`() {
    let waiting = Locked<[@Sendable () -> Void]>([])
    let pulse = LoopPulse(name: "the loop") { answer in waiting.withLock { $0.append(answer) } }
    func trouble(_ seconds: Int) -> String? {
      pulse.trouble(now: .seconds(seconds), patience: .seconds(10))
    }
    #expect(trouble(0) == nil)
    #expect(trouble(10) == nil)
    #expect(trouble(11) == "the loop has not answered for 11 s")
    #expect(waiting.withLock { $0.count } == 1, "it is asked once")
    waiting.withLock { $0.removeFirst() }()
    #expect(trouble(12) == nil)
    #expect(waiting.withLock { $0.count } == 1)
  }

  @Test func `the service manager hears of progress only while there is some`() throws {
    let manager = try NotifyListener()
    let trouble = Locked<String?>(nil)
    let watch = ProgressWatch(
      [{ _ in trouble.withLock { $0 } }], limit: .milliseconds(40),
      notifier: ServiceNotifier(socket: manager.address), log: Logger(label: "test"))
    try watch.start()
    defer { watch.stop() }
    for _ in 0..<3 { #expect(manager.next() == "WATCHDOG=1") }
    trouble.withLock { $0 = "stuck" }
    while watch.trouble == nil { sched_yield() }
    #expect(watch.trouble == "stuck")
    // What was on its way; then the next word is that of whoever gets on again.
    while manager.isWaiting { _ = manager.next() }
    trouble.withLock { $0 = nil }
    #expect(manager.next() == "WATCHDOG=1")
    #expect(watch.trouble == nil)
  }
}

/// The service manager's end of sd_notify(3).
struct NotifyListener {
  let address: String
  private let descriptor: OwnedDescriptor

  init() throws {
    let name = "fsharefs-notify-" + String(SecureRandom.uint64(), radix: 16)
    address = "@" + name
    let raw = try retryingOnInterrupt("socket") {
      socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
    descriptor = OwnedDescriptor(raw)
    var own = sockaddr_un()
    own.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &own.sun_path) { path in
      path.copyBytes(from: [0] + Array(name.utf8))
    }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
    try retryingOnInterrupt("bind") {
      withUnsafePointer(to: &own) {
        bind(raw, __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), length)
      }
    }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Whether something has come.
  var isWaiting: Bool {
    var byte: UInt8 = 0
    return recv(descriptor.raw, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0
  }

  /// The next message; empty where none comes.
  func next() -> String {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = recv(descriptor.raw, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
