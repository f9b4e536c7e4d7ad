import Glibc
import Logging
import Runtime
import System
import Testing

/// S106: what SIGHUP asks for, as often as somebody asks.
struct ReloadingTests {
  @Test func `asked again meanwhile, it is done once more, and never twice at a time`() throws {
    let reloading = Reloading(
      log: Logger(label: "test"), logFile: nil, notifier: ServiceNotifier(socket: nil))
    let begun = Monitor(0)
    let mayEnd = Monitor(false)
    let atATime = Locked((now: 0, most: 0))
    let take: @Sendable () throws(Ending) -> Void = {
      atATime.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      begun.update { $0 += 1 }
      _ = mayEnd.wait { $0 ? true : nil }
      atATime.withLock { $0.now -= 1 }
    }
    reloading.begin(take)
    #expect(begun.wait(timeout: .seconds(20)) { $0 == 1 ? true : nil } == true)
    for _ in 0..<1_000 { reloading.begin(take) }
    mayEnd.update { $0 = true }
    #expect(begun.wait(timeout: .seconds(20)) { $0 == 2 ? true : nil } == true)
    while atATime.withLock({ $0.now }) > 0 { sched_yield() }
    #expect(begun.withLock { $0 } == 2)
    #expect(atATime.withLock { $0.most } == 1)
  }
}
