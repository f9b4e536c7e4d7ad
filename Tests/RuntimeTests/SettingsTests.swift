import Control
import Core
import Glibc
import Logging
import Runtime
import System
import Testing
import Transport

/// S106: the settings that SIGHUP reads again, and files of settings in general.
struct SettingsTests {
  private func settings(_ text: String) throws(Ending) -> ReloadableSettings {
    var settings = ReloadableSettings()
    try settings.take(ConfigurationFile(text: text, from: "config.toml"), "config.toml")
    return settings
  }

  @Test func `a file says levels and limits, and what the command line says goes before it`() throws
  {
    let file = try settings(
      """
      # while we look for something
      log-level = "debug"
      max-rate=100
      grace = 7   # seconds
      max-queue = "3"
      cache = "/x"
      """)
    #expect(file.level == .debug)
    var base = HubRuntime.Settings()
    try base.set("max-rate", to: 50)
    let settings = try file.settings(base, given: ["max-rate"])
    #expect(settings.transport.messagesPerSecond == 50)
    #expect(settings.hub.grace == .seconds(7))
    #expect(settings.transport.controlQueueBytes == 3 << 20)
  }

  @Test func `of two files the first that says something counts`() throws {
    var both = try settings("grace = 7\nlog-level = \"debug\"")
    try both.take(
      ConfigurationFile(text: "grace = 8\nmax-rate = 20\nlog-level = \"error\"", from: "b"), "b")
    let settings = try both.settings(HubRuntime.Settings(), given: [])
    #expect(both.level == .debug && settings.hub.grace == .seconds(7))
    #expect(settings.transport.messagesPerSecond == 20)
  }

  @Test(arguments: [
    ("grace = 1\nmax-rat = 5\n", "there is no setting 'max-rat': did you mean 'max-rate'?"),
    ("max-rate = 1\n", "max-rate 1: a whole number from 10 to 10000000"),
    ("grace = \"soon\"\n", "grace soon: a whole number"),
    ("log-level = \"loud\"\n", "log-level loud: debug, info"),
    ("log-level = 7.5\n", "log-level: give it a text"),
    ("grace\n", "line 1"), ("grace = 1\ngrace = 2\n", "line 2"), ("[hub]\ngrace = 1\n", "hub"),
    ("max-rate = 1\nmax_rate = 2\n", "'max-rate' is there twice"),
    ("cache = \"/tmp/\\u0000x\"", "no setting has a zero byte"),
    ("cache = \"x\"", "cache: an absolute path"), ("cache = \"\"", "cache: give it a value"),
    ("allow_other = 1", "allow_other: true or false"), ("name = true", "name: give it a value"),
    ("foreground = true", "no setting 'foreground'"), ("fresh = true", "no setting 'fresh'"),
    ("remount = true", "no setting 'remount'"), ("grace = 1e99", "grace: give it a value"),
  ])
  func `what cannot be is named`(text: String, complaint: String) throws {
    do throws(Ending) {
      _ = try settings(text)
      Issue.record("it was taken: \(text)")
    } catch {
      #expect(error.code == .usage)
      #expect(error.text.contains("config.toml") && error.text.contains(complaint), "\(error.text)")
    }
  }

  @Test func `a hub alone has no other settings`() throws {
    let path = "/tmp/fsharefs-settings-\(SecureRandom.uint64())"
    try File.writeAtomically(path, Array("grace = 9\ncache = \"/x\"\n".utf8), mode: 0o600)
    defer { unlink(path.cPath) }
    do throws(Ending) {
      _ = try ReloadableSettings(ofHub: path)
      Issue.record("it was taken")
    } catch { #expect(error.text.contains("'cache'"), "\(error.text)") }
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
      _ = try ConfigurationFile(path: path)
      Issue.record("it was taken")
    } catch {
      #expect(error.code == .usage && error.text.contains(path), "\(error.text)")
    }
  }

  @Test func `without the file all is as the command line and the defaults say`() throws {
    let file = try ConfigurationFile(path: "/tmp/there-is-no-such-file-\(SecureRandom.uint64())")
    #expect(file == ConfigurationFile())
  }

  @Test func `the environment says each option under its name in capitals`() throws {
    let said = try EnvironmentSettings.read {
      [
        "FSHAREFS_CACHE_SIZE": "99", "FSHAREFS_HOST": "yes", "FSHAREFS_NOWAIT": "0",
        "FSHAREFS_ALLOW_OTHER": "TRUE", "FSHAREFS_FOREGROUND": "1", "FSHAREFS_RO": "1",
      ][$0]
    }
    #expect(
      said.sorted { $0.name < $1.name } == [
        SaidSetting("allow_other"), SaidSetting("cache-size", "99"), SaidSetting("host"),
        SaidSetting("nowait", isOff: true),
      ])
    #expect(throws: Ending.self) {
      try EnvironmentSettings.read { $0 == "FSHAREFS_HOST" ? "perhaps" : nil }
    }
  }
}
