import Glibc
import System
import Testing

@Suite struct LockRankTests {
  @Test func `taking locks in the order of their ranks is fine`() async {
    await #expect(processExitsWith: .success) {
      setenv("FSHAREFS_CHECK_LOCKS", "1", 1)
      let (names, leaf) = (Locked(1, rank: .names), Locked(2, rank: .leaf))
      for _ in 0..<2 {
        let sum = names.withLock { one in leaf.withLock { one + $0 } }
        precondition(sum == 3)
      }
      exit(0)
    }
  }

  @Test func `taking locks in another order traps`() async {
    await #expect(processExitsWith: .failure) {
      setenv("FSHAREFS_CHECK_LOCKS", "1", 1)
      let (names, leaf) = (Locked(1, rank: .names), Locked(2, rank: .leaf))
      _ = leaf.withLock { two in names.withLock { two + $0 } }
      exit(0)
    }
  }

  @Test func `nobody traps where the order is not checked`() async {
    await #expect(processExitsWith: .success) {
      unsetenv("FSHAREFS_CHECK_LOCKS")
      let (names, leaf) = (Locked(1, rank: .names), Locked(2, rank: .leaf))
      _ = leaf.withLock { two in names.withLock { two + $0 } }
      exit(0)
    }
  }
}
