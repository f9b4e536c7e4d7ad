import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct PosixRandom {
    /// S13, S42, S43: a row of random operations on one file, with two descriptors, mappings and
    /// new names. `SEED` and `STEPS` in the environment choose others.
    @Test func aFileIsWhatWasWritten() throws {
      let seed = Environment.get("SEED").flatMap { UInt64($0) } ?? SecureRandom.uint64() % 1_000_000
      let steps = Environment.get("STEPS").flatMap { Int($0) } ?? 2_000
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        var exerciser = try FileExerciser(host.path("file"), seed: seed)
        var step = 0
        do {
          while step < steps {
            try exerciser.step()
            step += 1
          }
          let content = try exerciser.finish()
          let name = String(exerciser.path.dropFirst(host.mount.count + 1))
          try eventually("the other member has it") {
            try Files.read(guest.path(name)) == content
          }
          #expect(try Files.read(host.own + "/" + name) == content)
        } catch {
          throw NeverHappened(description: "SEED=\(seed), step \(step): \(error)")
        }
      }
    }
  }
}
