import Glibc
import Logging
import System
import Testing

/// How lines of the log begin.
struct LogStampTests {
  @Test func `a line that no journal takes begins with its time, and the zone of that`() {
    let text = LocalTime.stamp(timespec(tv_sec: 1_795_000_000, tv_nsec: 42_999_999))
    // Whatever the zone of this machine: the date, milliseconds, and hours and minutes of the zone.
    let shape = String(text.map { $0.isNumber ? "0" : $0 }).replacing("-00:00", with: "+00:00")
    #expect(shape == "0000-00-00T00:00:00.000+00:00".replacing("-00:00", with: "+00:00"))
    #expect(text.hasPrefix("2026-11-1") && text.contains(".042"))
    #expect(LocalTime.stamp(timespec(tv_sec: .max, tv_nsec: 0)) == "@\(Int.max)")
  }

  @Test func `only the stream that systemd names is the journal's`() throws {
    // This process was not started by systemd with this very pipe.
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    #expect(LogStamp.reader(of: ends[1]) == .plain)
    #expect(LogStamp.reader(of: -1) == .plain)
  }

  @Test func `the level of all loggers can be changed while they are in use`() {
    let threshold = LogThreshold(.notice)
    let one = StderrLogHandler(program: "p", threshold: threshold, stamp: .plain)
    var other = one
    other.logLevel = .error
    threshold.level = .debug
    #expect(one.logLevel == .debug && other.logLevel == .error)
  }

  @Test func `systemd wants to hear of progress from the process that it names`() {
    let me = "\(getpid())"
    #expect(ServiceNotifier.watchdogTime(microseconds: "3000000", process: me) == .seconds(3))
    #expect(ServiceNotifier.watchdogTime(microseconds: "3000000", process: nil) == .seconds(3))
    #expect(ServiceNotifier.watchdogTime(microseconds: "3000000", process: "1") == nil)
    #expect(ServiceNotifier.watchdogTime(microseconds: nil, process: nil) == nil)
    #expect(ServiceNotifier.watchdogTime(microseconds: "nonsense", process: nil) == nil)
  }
}
