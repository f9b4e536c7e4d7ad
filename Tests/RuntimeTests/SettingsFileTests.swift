import Core
import Glibc
import Logging
import Runtime
import System
import Testing
import Transport

/// S106: the settings that SIGHUP reads again.
struct SettingsFileTests {
  @Test func `a file says levels and limits, and what the command line says goes before it`() throws
  {
    let file = try SettingsFile(
      text: """
        # while we look for something
        log-level = debug
        max-rate=100
        grace 7   # seconds
        max-queue = 3
        """, from: "settings")
    #expect(file.level == .debug)
    var base = HubRuntime.Settings()
    try base.set("max-rate", to: 50)
    let settings = try file.settings(base, given: ["max-rate"])
    #expect(settings.transport.messagesPerSecond == 50)
    #expect(settings.hub.grace == .seconds(7))
    #expect(settings.transport.controlQueueBytes == 3 << 20)
  }

  @Test(arguments: [
    ("grace = 1\nmax-rat = 5\n", "line 2: there is no setting 'max-rat'"),
    ("max-rate = 1\n", "line 1: max-rate 1: a whole number from 10 to 10000000"),
    ("grace = soon\n", "line 1: grace soon: a whole number"),
    ("log-level = loud\n", "line 1: log-level loud: debug, info"),
    ("grace\n", "line 1: a line is 'name = value'"),
  ])
  func `a line that cannot be is named`(text: String, complaint: String) throws {
    do throws(Ending) {
      _ = try SettingsFile(text: text, from: "settings")
      Issue.record("it was taken: \(text)")
    } catch {
      #expect(error.code == .usage)
      #expect(error.text.contains(complaint), "\(error.text)")
    }
  }

  @Test func `each name of the hub's settings can be said, at both ends of its range`() throws {
    for (name, range) in HubRuntime.Settings.ranges {
      var settings = HubRuntime.Settings()
      try settings.set(name, to: range.lowerBound)
      try settings.set(name, to: range.upperBound)
      for outside in [range.lowerBound - 1, range.upperBound + 1] {
        #expect(throws: Ending.self) { try settings.set(name, to: outside) }
      }
    }
  }

  @Test func `a pipe in its place is named, and not waited for`() throws {
    let path = "/tmp/fsharefs-settings-\(SecureRandom.uint64())"
    #expect(mkfifo(path.cPath, 0o600) == 0)
    defer { unlink(path.cPath) }
    do throws(Ending) {
      _ = try SettingsFile(path: path)
      Issue.record("it was taken")
    } catch {
      #expect(error.code == .usage && error.text.contains(path), "\(error.text)")
    }
  }

  @Test func `without the file all is as the command line and the defaults say`() throws {
    let file = try SettingsFile(path: "/tmp/there-is-no-such-file-\(SecureRandom.uint64())")
    #expect(file == SettingsFile())
  }
}
