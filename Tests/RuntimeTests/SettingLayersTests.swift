import Control
import Glibc
import Runtime
import System
import Testing

/// What was typed, completed by what other places say; and what of it is kept for the next start.
struct SettingLayersTests {
  private func invocation(_ words: String...) throws -> Invocation {
    try Invocation(program: "fsharefs", words: words)
  }

  private func layer(
    _ source: StatusReport.Setting.Source, _ settings: SaidSetting...
  ) -> SettingLayer { SettingLayer(source, "\(source)", settings) }

  @Test func `what is named first goes before what is named next`() throws {
    var invocation = try invocation("--own", "/typed", "-o", "timeout=1", "/mnt")
    invocation.complete(with: [
      layer(.environment, SaidSetting("own", "/env"), SaidSetting("name", "env")),
      layer(.configuration, SaidSetting("name", "file"), SaidSetting("timeout", "2")),
      layer(.kept, SaidSetting("cache", "/kept"), SaidSetting("name", "kept")),
    ])
    #expect(invocation.value(of: "own") == "/typed" && invocation.value(of: "name") == "env")
    #expect(invocation.value(of: "timeout") == "1" && invocation.value(of: "cache") == "/kept")
    #expect(
      invocation.sources == [
        "own": .option, "timeout": .option, "name": .environment, "cache": .kept,
      ])
    // The parser takes the last of a name.
    #expect(
      invocation.words == [
        "--cache=/kept", "--name=env", "--own", "/typed", "-o", "timeout=1", "/mnt",
      ])
  }

  @Test func `what is said not to be is not turned on by what comes after`() throws {
    var invocation = try invocation("/mnt")
    invocation.complete(with: [
      layer(.environment, SaidSetting("nowait", isOff: true)),
      layer(.configuration, SaidSetting("nowait"), SaidSetting("ro")),
      layer(.kept, SaidSetting("rw")),
    ])
    #expect(invocation.words == ["/mnt"] && invocation.kernelFlags == ["ro"])
  }

  @Test func `of options of which one alone can be, the first is left`() throws {
    var invocation = try invocation("--master", "-o", "allow_root", "/mnt")
    invocation.complete(with: [layer(.kept, SaidSetting("host"), SaidSetting("allow_other"))])
    #expect(invocation.words == ["--master", "-o", "allow_root", "/mnt"])
  }

  @Test func `who names a hub is no host any more`() throws {
    var invocation = try invocation("hub.example.org", "/mnt")
    invocation.complete(with: [layer(.kept, SaidSetting("host"), SaidSetting("own", "/own"))])
    #expect(invocation.words == ["--own=/own", "hub.example.org", "/mnt"])
    #expect(invocation.kept { $0 } == [SaidSetting("own", "/own")])
  }

  @Test func `what was typed is kept, with what was kept before and was not typed otherwise`()
    throws
  {
    var invocation = try invocation(
      "--host", "--own", "rel", "--state", "s", "--name", "n", "--nowait", "--fresh", "-f",
      "--verbose", "-o", "timeout=3,ro,rw,_netdev,noexec", "/mnt")
    invocation.complete(with: [
      layer(.environment, SaidSetting("memory", "9")),
      layer(
        .kept, SaidSetting("own", "/old"), SaidSetting("cache", "/c"), SaidSetting("memory", "8")),
    ])
    #expect(
      invocation.kept { "/abs/" + $0 } == [
        SaidSetting("cache", "/c"), SaidSetting("memory", "8"), SaidSetting("host"),
        SaidSetting("own", "/abs/rel"), SaidSetting("timeout", "3"), SaidSetting("noexec"),
      ])
  }

  @Test func `what is kept is read again as it was, whatever bytes a path has`() throws {
    let folder = "/tmp/fsharefs-options-\(SecureRandom.uint64())"
    try File.makeDirectories(folder, mode: 0o700)
    defer {
      unlink((folder + "/options").cPath)
      rmdir(folder.cPath)
    }
    #expect(try KeptOptions.read(in: folder).isEmpty)
    let path = String(pathBytes: Array("/a,b\nc d\\".utf8) + [0xFF])
    let options = [
      SaidSetting("host"), SaidSetting("own", path), SaidSetting("timeout", "5"), SaidSetting("ro"),
    ]
    try KeptOptions.write(options, in: folder)
    #expect(try KeptOptions.read(in: folder) == options)
  }

  @Test func `a complaint about what was not typed names where it comes from`() throws {
    var invocation = try invocation("/mnt")
    invocation.complete(with: [layer(.configuration, SaidSetting("timeout", "soon"))])
    #expect(invocation.origin(ofComplaint: "-o timeout=soon: a whole number") == "configuration")
    #expect(invocation.origin(ofComplaint: "-o memory=x: a whole number") == nil)
  }
}
