import CoreMetrics
import Glibc
import System

/// A counter that follows a number which is counted elsewhere and only grows.
final class Follower: Sendable {
  private let counter: Counter
  private let seen = Locked<UInt64>(0)

  init(_ label: String, _ dimensions: [(String, String)] = []) {
    counter = Counter(label: label, dimensions: dimensions)
  }

  /// The number is this by now. One that is less than before has begun anew.
  func reach(_ value: UInt64) {
    let more = seen.withLock { seen -> UInt64 in
      defer { seen = value }
      return value < seen ? value : value - seen
    }
    counter.increment(by: Int64(clamping: more))
  }
}

/// What every program of the house says of itself.
final class ProcessMeters: Sendable {
  private let uptime = Meter(label: "fsharefs_uptime_seconds")
  private let started = Meter(label: "process_start_time_seconds")
  private let memory = Meter(label: "process_resident_memory_bytes")
  private let files = Meter(label: "process_open_fds")
  private let processor = FloatingPointCounter(label: "process_cpu_seconds_total")
  private let spent = Locked(0.0)
  private let healthy = Meter(label: "fsharefs_healthy")
  private let build: Meter
  private let began = MonotonicClock.now

  /// `program`: its name; `role`: what it is to its group.
  init(program: String, role: String) {
    build = Meter(
      label: "fsharefs_build_info",
      dimensions: [("program", program), ("role", role), ("version", ProgramVersion.text)])
    build.set(1)
    started.set(WallClock.seconds)
  }

  /// Brings them up to date.
  func measure(isHealthy: Bool) {
    healthy.set(isHealthy ? 1 : 0)
    uptime.set((MonotonicClock.now - began) / .seconds(1))
    if let words = try? File.readAll("/proc/self/statm", limit: 4_096).split(separator: 0x20),
      words.count > 1, let pages = Int64(String(decoding: words[1], as: UTF8.self))
    {
      memory.set(pages * Int64(sysconf(Int32(_SC_PAGESIZE))))
    }
    var usage = rusage()
    if getrusage(RUSAGE_SELF, &usage) == 0 {
      let times = [usage.ru_utime, usage.ru_stime]
      let now = times.reduce(0.0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
      let more = spent.withLock { spent -> Double in
        defer { spent = now }
        return now - spent
      }
      processor.increment(by: max(0, more))
    }
    if let count = Self.openFiles { files.set(count) }
  }

  private static var openFiles: Int64? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count: Int64 = 0
    while readdir(folder) != nil { count += 1 }
    // `.`, `..`, and the descriptor that looks.
    return max(0, count - 3)
  }
}
