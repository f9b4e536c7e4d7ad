import Runtime
import System
import Testing

/// What mount(8), `mount.fuse3` and people start the program with.
struct InvocationTests {
  @Test(arguments: ["/sbin/mount.fuse.fsharefs", "mount.fsharefs"])
  func `a link that mount(8) knows reads the words of a mount helper`(program: String) throws {
    let found = try Invocation(
      program: program,
      words: [
        "hub:1", "/mnt", "-sn", "-v", "-o",
        "rw,noexec,own=a\\,b,x-systemd.automount,_netdev,nofail", "-t", "fuse.fsharefs",
      ])
    #expect(found.isByMount && !found.isFake && found.source == "hub:1")
    #expect(found.kernelFlags == ["noexec"])
    #expect(found.words == ["--own=a,b", "-o", "nofail", "--", "hub:1", "/mnt"])
  }

  @Test func `mount -f and -N reach it`() throws {
    let found = try Invocation(
      program: "mount.fsharefs", words: ["none", "/mnt", "-f", "-N", "/proc/1/ns/mnt"])
    #expect(found.isFake && found.namespace == "/proc/1/ns/mnt")
    // The source that is none is no hub.
    #expect(found.words == ["--", "/mnt"])
  }

  @Test func `what mount.fuse3 makes of a line is known again`() throws {
    let found = try Invocation(
      program: "fsharefs", words: ["hub", "/mnt", "-o", "ro,name=x,dev,suid"])
    #expect(found.isByMount && found.kernelFlags == ["ro"])
    #expect(found.words == ["--name=x", "--", "hub", "/mnt"])
    #expect(try !Invocation(program: "fsharefs", words: ["hub", "/mnt", "-o", "ro,dev"]).isByMount)
  }

  @Test func `on the command line an option stands where its -o stood: the last one counts`() throws
  {
    let found = try Invocation(
      program: "fsharefs",
      words: [
        "-o", "name=a,timeout=3", "--name", "b", "-oname=c,ro", "-f", "hub", "/mnt", "--", "-o",
        "x",
      ])
    #expect(!found.isByMount && found.source == nil && found.kernelFlags == ["ro"])
    #expect(
      found.words == [
        "--name=a", "-o", "timeout=3", "--name", "b", "--name=c", "-f", "hub", "/mnt", "--", "-o",
        "x",
      ])
  }

  @Test func `of an option and its opposite the last one counts`() throws {
    let flags = { (line: String) in
      try Invocation(program: "fsharefs", words: ["-o", line]).kernelFlags
    }
    #expect(try flags("ro,rw,noexec,sync,async,atime,exec,noexec") == ["noexec"])
    #expect(try flags("rw,ro,ro") == ["ro"])
    #expect(try flags("nosuid,suid,dev,relatime,defaults,user=me,comment=a,X-mount.mkdir").isEmpty)
  }

  @Test(arguments: [
    ("alow_other", "did you mean 'allow_other'"), ("cashe=/x", "did you mean 'cache=DIR'"),
    ("umaks=022", "did you mean 'umask=OCTAL'"), ("IdentityFile=x", "--help"), ("ro=1", "no value"),
    ("own", "own=DIR"), ("own=", "own=DIR"), ("remount", "mount(8)"), ("z", "--help"),
  ])
  func `a wrong option is named, with what to type`(option: String, hint: String) {
    let ending = #expect(throws: Ending.self) {
      try Invocation(program: "fsharefs", words: ["/mnt", "-o", "ro," + option])
    }
    #expect(ending?.code == .usage)
    #expect(ending?.text.contains(option) == true && ending?.text.contains(hint) == true)
  }

  @Test func `mount -s passes over what is not known`() throws {
    let words = ["hub", "/mnt", "-o", "reconnect,own=/x,ro=1", "-s"]
    let found = try Invocation(program: "mount.fsharefs", words: words)
    #expect(found.words == ["--own=/x", "--", "hub", "/mnt"])
  }

  @Test(arguments: [[], ["--help"], ["hub"], ["hub", "/mnt", "-o"], ["hub", "/mnt", "x"]])
  func `what is not a helper's is refused`(words: [String]) {
    #expect(throws: Ending.self) { try Invocation(program: "mount.fsharefs", words: words) }
  }

  @Test func `mount(8) has codes of its own`() {
    #expect(ExitStatus.of(.usage, isByMount: true) == 1)
    #expect(ExitStatus.of(.success, isByMount: true) == 0)
    for code in ExitCode.allCases where ![.usage, .success].contains(code) {
      #expect(ExitStatus.of(code, isByMount: true) == 32)
      #expect(ExitStatus.of(code, isByMount: false) == code.rawValue)
    }
  }

  @Test(arguments: [
    ("/mnt/share", "mnt-share"), ("/", "-"), ("//mnt//a/", "mnt-a"), ("/.a/.b", "\\x2ea-.b"),
    ("/a-b", "a\\x2db"), ("/ü x", "\\xc3\\xbc\\x20x"), ("/A:z_9\n", "A:z_9\\x0a"),
  ])
  func `a mountpoint is one name, as systemd-escape makes it`(path: String, name: String) {
    #expect(MountpointState.escaped(path) == name)
  }

  @Test func `the manual has every option once, and no other`() throws {
    let root = File.folder(of: File.folder(of: File.folder(of: #filePath)))
    let manual = String(
      decoding: try File.readAll("\(root)/docs/operations.md", limit: 1 << 20), as: UTF8.self)
    let table = try #require(manual.split(separator: "| option | what it does |").last)
    var found: [String] = []
    for row in table.split(separator: "\n").prefix(while: { $0.hasPrefix("|") }) {
      let cells = row.split(separator: " | ")
      // What takes another option back, or changes nothing, stands beside it.
      found += cells.joined(separator: " ").matches(of: /`([a-z_-]+)=?`/).map { String($0.1) }
    }
    let names = Set(MountOption.all.map(\.name))
    #expect(names.subtracting(found).isEmpty)
    for option in MountOption.all where option.meaning != .fstab {
      if case .required = option.value { #expect(table.contains("`\(option.name)=`")) }
    }
    let first = table.split(separator: "\n").prefix { $0.hasPrefix("|") }.flatMap { row in
      (row.split(separator: " | ").first ?? "").matches(of: /`([a-z_-]+)=?`/).map { String($0.1) }
    }
    #expect(Set(first).subtracting(names).isEmpty && Set(first).count == first.count)
  }
}
