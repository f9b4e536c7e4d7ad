import Glibc

/// What processes have used, each together with those that it started.
enum Usage {
  /// Seconds of processor time.
  static func processor(_ pid: pid_t) -> Double {
    var ticksOf: [pid_t: Int] = [:]
    var childrenOf: [pid_t: [pid_t]] = [:]
    for name in Files.names(in: "/proc") {
      guard let id = pid_t(name), let (parent, ticks) = record(of: id) else { continue }
      ticksOf[id] = ticks
      childrenOf[parent, default: []].append(id)
    }
    var ticks = 0
    var waiting = [pid]
    while let id = waiting.popLast() {
      ticks += ticksOf[id] ?? 0
      waiting += childrenOf[id] ?? []
    }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// MiB of memory that the process has.
  static func resident(_ pid: pid_t) throws -> Double { try status("VmRSS", pid) }

  /// Forgets how much memory the process had at most.
  static func forgetPeak(_ pid: pid_t) throws { try "5\n".write(to: "/proc/\(pid)/clear_refs") }

  /// MiB of memory that the process had at most since `forgetPeak`.
  static func peak(_ pid: pid_t) throws -> Double { try status("VmHWM", pid) }

  private static func status(_ key: String, _ pid: pid_t) throws -> Double {
    guard
      let kilobytes = Files.text(of: "/proc/\(pid)/status").split(separator: "\n")
        .first(where: { $0.hasPrefix("\(key):") })?
        .split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        .flatMap({ Double($0) })
    else { throw Failure("process \(pid) does not say how much memory it has") }
    return kilobytes / 1024
  }

  private static func record(of pid: pid_t) -> (parent: pid_t, ticks: Int)? {
    // The name, in parentheses, may hold anything: what counts is behind it.
    let text = Files.text(of: "/proc/\(pid)/stat")
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 14, let parent = pid_t(fields[2]), let user = Int(fields[12]),
      let system = Int(fields[13])
    else { return nil }
    return (parent, user + system)
  }
}
