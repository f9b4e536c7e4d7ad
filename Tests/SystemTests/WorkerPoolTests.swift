import System
import Testing

/// A pool some of whose work hangs.
struct WorkerPoolTests {
  private let gate = Monitor(false)
  private let done = Monitor(0)

  private func open() { gate.update { $0 = true } }

  private func hang() { _ = gate.wait { $0 ? true : nil } }

  private func waitFor(_ count: Int) -> Bool {
    done.wait(timeout: .seconds(20)) { $0 >= count ? true : nil } ?? false
  }

  @Test func `what hangs with one key holds up what has the same key, and nothing else`() throws {
    let pool = try WorkerPool(name: "test", threads: WorkerPool.keyLimit + 1, queueLimit: 100)
    defer {
      open()
      pool.stop()
      #expect(done.withLock { $0 } == 70)
    }
    for _ in 0..<20 {
      #expect(
        pool.submit(key: 1) {
          hang()
          done.update { $0 += 1 }
        })
    }
    for number in 0..<50 as Range<UInt64> {
      #expect(
        pool.submit(key: number.isMultiple(of: 2) ? nil : number + 2) { done.update { $0 += 1 } })
    }
    #expect(waitFor(50))
  }

  @Test func `where all are stuck others take their place, up to a bound`() throws {
    let pool = try WorkerPool(
      name: "test", threads: 2, queueLimit: 100, spare: 3, patience: .milliseconds(5))
    defer {
      open()
      pool.stop()
    }
    for number in 0..<4 as Range<UInt64> { #expect(pool.submit(key: number) { hang() }) }
    #expect(pool.submit { done.update { $0 += 1 } })
    let isDone = (0..<4_000).contains { _ in
      pool.relieve()
      return done.wait(timeout: .milliseconds(5)) { $0 == 1 ? true : nil } ?? false
    }
    #expect(isDone)
    for number in 10..<20 as Range<UInt64> { #expect(pool.submit(key: number) { hang() }) }
    for _ in 0..<50 { pool.relieve() }
  }

  @Test func `its end waits for what hangs no longer than it is told to`() throws {
    let pool = try WorkerPool(name: "test", threads: 1, queueLimit: 10)
    #expect(pool.submit { hang() })
    pool.stop(within: .milliseconds(20))
    #expect(!pool.submit {})
    open()
    pool.stop()
  }
}
