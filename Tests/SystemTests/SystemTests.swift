import CLinux
import Glibc
import Logging
import System
import Testing

@Suite("Threads and locks", .timeLimit(.minutes(5)))
struct SystemThreadTests {
  @Test("a lock keeps every addition of many threads")
  func locked() throws {
    let sum = Locked(0)
    let threads = try (0..<8).map { _ in
      try Thread.start(name: "adder") { for _ in 0..<10_000 { sum.withLock { $0 += 1 } } }
    }
    for thread in threads { thread.join() }
    #expect(sum.withLock { $0 } == 80_000)
  }

  @Test("several threads may join the same one")
  func joins() throws {
    let gate = Monitor(false)
    let thread = try Thread.start(name: "waiter") { _ = gate.wait { $0 ? true : nil } }
    let joiners = try (0..<3).map { _ in try Thread.start(name: "joiner") { thread.join() } }
    gate.update { $0 = true }
    for joiner in joiners { joiner.join() }
    thread.join()
    #expect(!thread.isCurrent)
  }

  @Test("a wait ends at its deadline")
  func deadline() {
    let monitor = Monitor(0)
    let before = MonotonicClock.now
    let answer: Bool? = monitor.wait(timeout: .milliseconds(20)) { $0 == 1 ? true : nil }
    #expect(answer == nil)
    #expect(MonotonicClock.now - before >= .milliseconds(20))
  }

  @Test("a pool keeps the order, refuses beyond its limit but what must be, and finishes all")
  func pool() throws {
    let gate = Monitor(false)
    let order = Locked<[Int]>([])
    let started = Monitor(false)
    let pool = try WorkerPool(name: "pool", threads: 1, queueLimit: 3)
    #expect(
      pool.submit {
        started.update { $0 = true }
        _ = gate.wait { $0 ? true : nil }
      })
    _ = started.wait { $0 ? true : nil }
    let accepted = (0..<5).map { number in pool.submit { order.withLock { $0.append(number) } } }
    #expect(accepted == [true, true, true, false, false])
    pool.run { order.withLock { $0.append(9) } }
    gate.update { $0 = true }
    pool.stop()
    #expect(order.withLock { $0 } == [0, 1, 2, 9])
    #expect(!pool.submit {})
  }

  @Test("clocks go forward and random numbers differ")
  func clocks() {
    let first = MonotonicClock.now
    #expect(first > .zero && MonotonicClock.now >= first)
    #expect(WallClock.seconds > 1_700_000_000)
    #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
    #expect(SecureRandom.bytes(0) == [])
    #expect(SecureRandom.uint64() != SecureRandom.uint64())
  }
}

@Suite("Files")
struct SystemFileTests {
  /// A folder of its own for each test, gone afterwards.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let base = Environment.get("TMPDIR") ?? "/tmp"
    let folder = "\(base)/fsharefs-test-\(String(SecureRandom.uint64(), radix: 16))"
    try File.makeDirectories(folder, mode: 0o700)
    defer {
      for name in ["a", "lock", "x/y/z", "x/y", "x"] { _ = remove("\(folder)/\(name)") }
      #expect(rmdir(folder) == 0, "the test leaves nothing behind")
    }
    try body(folder)
  }

  @Test("what is written is read, with the mode asked for, and replaced at once")
  func writeAndRead() throws {
    try withFolder { folder in
      try File.writeAtomically("\(folder)/a", [1, 2, 3], mode: 0o600)
      try File.writeAtomically("\(folder)/a", [UInt8](repeating: 9, count: 200_000), mode: 0o600)
      #expect(try File.readAll("\(folder)/a", limit: 200_000).count == 200_000)
      let stat = try Stat(path: "\(folder)/a")
      #expect(stat.isRegular && stat.permissions == 0o600 && stat.size == 200_000)
      let error = #expect(throws: SystemError.self) {
        try File.readAll("\(folder)/a", limit: 199_999)
      }
      #expect(error?.code == EFBIG)
    }
  }

  @Test("an error names what was tried and why it failed")
  func errors() {
    let error = #expect(throws: SystemError.self) { try File.readAll("/nowhere/x", limit: 1) }
    #expect(error?.description == "open /nowhere/x: No such file or directory")
  }

  @Test("folders are made with those above them")
  func folders() throws {
    try withFolder { folder in
      try File.makeDirectories("\(folder)/x/y/z", mode: 0o700)
      try File.makeDirectories("\(folder)/x/y/z/", mode: 0o700)
      #expect(try Stat(path: "\(folder)/x/y/z").isDirectory)
      #expect(throws: SystemError.self) { try File.makeDirectories("/proc/none/x", mode: 0o700) }
    }
  }

  @Test("a locked file cannot be locked again until it is let go")
  func locks() throws {
    try withFolder { folder in
      var held: OwnedDescriptor? = try File.lock("\(folder)/lock")
      let error = #expect(throws: SystemError.self) { _ = try File.lock("\(folder)/lock") }
      #expect(error?.code == EWOULDBLOCK && held != nil)
      held = nil
      // What another test starts meanwhile has a copy until it has become that program.
      _ = try Release.wait(atMost: .seconds(20)) { () throws(SystemError) in
        try File.lock("\(folder)/lock")
      }
    }
  }

  @Test(
    "the folder of a path",
    arguments: [
      ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/", "a"), ("/", "/"), (".", "."),
    ])
  func parents(_ path: String, _ parent: String) {
    #expect(File.folder(of: path) == parent)
  }
}

@Suite("What the outside sees", .timeLimit(.minutes(5)))
struct SystemOutsideTests {
  @Test("a service manager is told, on an abstract socket too")
  func notifier() throws {
    let name = "fsharefs-test-\(String(SecureRandom.uint64(), radix: 16))"
    let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let listener = OwnedDescriptor(raw)
    let address = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) } + [0] + Array(name.utf8)
    // SAFETY: a sockaddr_un cut after its name; the pointer stays inside the closure.
    let bound = address.withUnsafeBytes { bytes in
      let target = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return bind(raw, __CONST_SOCKADDR_ARG(__sockaddr__: target), socklen_t(bytes.count))
    }
    #expect(bound == 0)
    let notifier = ServiceNotifier(socket: "@" + name)
    notifier.ready()
    notifier.status("two\nlines")
    notifier.stopping()
    var received: [String] = []
    for _ in 0..<3 {
      var bytes = [UInt8](repeating: 0, count: 256)
      let count = recv(listener.raw, &bytes, bytes.count, Int32(MSG_DONTWAIT))
      received.append(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }
    #expect(received == ["READY=1", "STATUS=two lines", "STOPPING=1"])
    ServiceNotifier(socket: nil).ready()
    ServiceNotifier(socket: "@nobody-listens-here").ready()
  }

  @Test("a log record is one line, whatever a stranger's name contains")
  func logLine() {
    let event = LogEvent(
      level: .warning, message: "from \u{1b}[31m\nX", metadata: ["b": "2", "a": "1"],
      source: "test", file: "", function: "", line: 0)
    let threshold = LogThreshold(.info)
    let plain = StderrLogHandler(program: "p", threshold: threshold, stamp: .plain)
    let journal = StderrLogHandler(program: "p", threshold: threshold, stamp: .journal)
    let text = "from \\x1b[31m\\x0aX a=1 b=2\n"
    let time = timespec(tv_sec: 1_795_000_000, tv_nsec: 42_999_999)
    let line = "\(LocalTime.stamp(time)) p[\(getpid())] warning: \(text)"
    #expect(plain.line(event, at: time) == Array(line.utf8))
    #expect(journal.line(event) == Array("<4>\(text)".utf8))
  }
}
