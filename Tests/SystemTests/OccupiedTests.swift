import CLinux
import Glibc
import Mount
import Protocol
import System
import Testing

/// What lies in the own folder and cannot be shared: named with its reason, told to nobody.
@Suite(.timeLimit(.minutes(5))) struct OccupiedTests {
  @Test func `each has its reason until it is gone, and the rest is shared`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("folder/file", "x")
    let own = scene.own
    try retryingOnInterrupt("mkfifo") { mkfifo(own + "/folder/pipe", 0o600) }
    try retryingOnInterrupt("mknod") { mknod(own + "/socket", S_IFSOCK | 0o600, 0) }
    try retryingOnInterrupt("symlink") { symlink("/etc", own + "/out") }
    try retryingOnInterrupt("symlink") { symlink("../../x", own + "/folder/up") }
    try scene.start()
    try scene.waits(for: .pipe, at: "folder/pipe")
    try scene.waits(for: .socket, at: "socket")
    try scene.waits(for: .linkLeadsOut, at: "out")
    try scene.waits(for: .linkLeadsOut, at: "folder/up")
    #expect(Set(scene.group.items.keys) == ["folder", "folder/file"])
    #expect(scene.volume?.unsharedFigures.occupied == 4)

    unlink(own + "/folder/pipe")
    try scene.waits(for: nil, at: "folder/pipe")
    // One thing in the place of another, each way.
    unlink(own + "/out")
    symlink("folder", own + "/out")
    try scene.waitFor("the link is shared") { scene.group.items["out"] == "link" }
    try scene.waits(for: nil, at: "out")
    unlink(own + "/folder/file")
    mkfifo(own + "/folder/file", 0o600)
    try scene.waits(for: .pipe, at: "folder/file")
    try scene.waitFor("the file is taken back") { scene.group.items["folder/file"] == nil }
    // A folder takes what is in it along: a link may lead into the share from deeper down.
    mkdir(own + "/deep", 0o755)
    try scene.rename("folder", to: "deep/folder")
    try scene.waitFor("the moved link is shared") { scene.group.items["deep/folder/up"] == "link" }
    try scene.waits(for: .pipe, at: "deep/folder/file")
    #expect(scene.volume?.unsharedFigures.occupied == 2)
    try scene.rename("deep", to: "../outside/deep")
    try scene.waitFor("it is gone") { scene.volume?.unsharedFigures.occupied == 1 }
    #expect(scene.group.faults.isEmpty)
  }

  @Test(.enabled(if: geteuid() == 0, "mounts need root"))
  func `other file systems, bind mounts, devices and files beyond 4 EiB are not shared`() throws {
    let scene = try WatchedFolder()
    let own = scene.own
    defer {
      for name in ["usb", "bound"] { umount2(own + "/" + name, Int32(MNT_DETACH)) }
      scene.end()
    }
    for name in ["usb", "bound", "plain"] { mkdir(own + "/" + name, 0o755) }
    try scene.make("plain/file", "x")
    try retryingOnInterrupt("mount") { mount("tmpfs", own + "/usb", "tmpfs", 0, nil) }
    let bind: UInt = 4_096  // MS_BIND
    try retryingOnInterrupt("bind") {
      mount(own + "/plain", own + "/bound", nil, bind, nil)
    }
    try retryingOnInterrupt("mknod") { mknod(own + "/null", S_IFCHR | 0o600, 259) }
    try scene.start()
    try scene.waits(for: .otherFileSystem, at: "usb")
    try scene.waits(for: .otherFileSystem, at: "usb/in it")
    try scene.waits(for: .otherFileSystem, at: "bound")
    try scene.waits(for: .device, at: "null")
    #expect(Set(scene.group.items.keys) == ["plain", "plain/file"])
  }

  @Test(.enabled(if: geteuid() == 0, "mounts need root"))
  func `a file that is too large is not shared, and is once it is small`() throws {
    let scene = try WatchedFolder()
    let own = scene.own
    try retryingOnInterrupt("mount") { mount("tmpfs", own, "tmpfs", 0, nil) }
    defer {
      scene.stop()
      umount2(own, Int32(MNT_DETACH))
      scene.end()
    }
    try scene.make("large", "x")
    try scene.make("grows", "x")
    try retryingOnInterrupt("truncate") { truncate(own + "/large", 5 << 60) }
    try scene.start()
    try scene.waits(for: .tooLarge, at: "large")
    #expect(Set(scene.group.items.keys) == ["grows"])
    try retryingOnInterrupt("truncate") { truncate(own + "/grows", 5 << 60) }
    try scene.waits(for: .tooLarge, at: "grows")
    try scene.waitFor("it is taken back") { scene.group.items.isEmpty }
    try retryingOnInterrupt("truncate") { truncate(own + "/grows", 5) }
    try scene.waitFor("it is shared again") { scene.group.items["grows"] != nil }
    try scene.waits(for: nil, at: "grows")
    #expect(scene.group.faults.isEmpty)
  }

  @Test func `what lies too deep is not shared, and costs nothing above it`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    var folder = try scene.openOwn()
    let name = String(repeating: "d", count: 250)
    // 16 folders of 251 bytes each are 4,016; the next ends beyond 4,095.
    for _ in 0..<18 {
      try retryingOnInterrupt("mkdirat") { mkdirat(folder.raw, name, 0o755) }
      let parent = folder
      folder = OwnedDescriptor(
        try retryingOnInterrupt("openat") { openat(parent.raw, name, O_RDONLY | O_CLOEXEC) })
    }
    try scene.make("beside", "x")
    try scene.start()
    try scene.waitFor("all that fits is shared") { scene.group.entries.count == 17 }
    #expect(scene.volume?.unsharedFigures.occupied == 1)
  }

  @Test func `who lost a path and fits nowhere else is kept where it is, until the path is free`()
    throws
  {
    let scene = try WatchedFolder()
    defer { scene.end() }
    try scene.make("full", "x")
    try scene.make("report.odt", "x")
    try scene.start()
    try scene.waitForEquality("start")
    func entry(_ name: String) throws -> Entry {
      try #require(scene.group.entries.values.first { $0.path.bytes == Array(name.utf8) })
    }
    scene.volume?.files.refused(try entry("report.odt"), .exists)
    try scene.waitFor("it is renamed") {
      scene.group.items["report (conflict, test).odt"] != nil
    }
    scene.volume?.files.refused(try entry("full"), .listFull)
    try scene.waits(for: .refused(.listFull), at: "full")
    #expect(scene.group.items["full"] == nil)
    try scene.make("full", "changed")
    try scene.waitFor("it is told again") { scene.group.items["full"] != nil }
  }

  @Test func `a path with no room for a conflict name ends the search for one`() throws {
    let scene = try WatchedFolder()
    defer { scene.end() }
    var folder = try scene.openOwn()
    let name = String(repeating: "d", count: 254)
    for _ in 0..<15 {
      try retryingOnInterrupt("mkdirat") { mkdirat(folder.raw, name, 0o755) }
      let parent = folder
      folder = OwnedDescriptor(
        try retryingOnInterrupt("openat") { openat(parent.raw, name, O_RDONLY | O_CLOEXEC) })
    }
    // 15 * 255 are 3,825; with this one 4,080, and then 15 bytes for what is in it.
    let last = String(repeating: "e", count: 254)
    try retryingOnInterrupt("mkdirat") { mkdirat(folder.raw, last, 0o755) }
    let opened = OwnedDescriptor(
      try retryingOnInterrupt("openat") { openat(folder.raw, last, O_RDONLY | O_CLOEXEC) })
    try retryingOnInterrupt("mkdirat") { mkdirat(opened.raw, "wanted", 0o755) }
    try scene.start()
    try scene.waitFor("all is shared") { scene.group.entries.count == 17 }
    let wanted = try #require(
      scene.group.entries.values.first { $0.path.name.bytes == Array("wanted".utf8) })
    scene.volume?.files.refused(wanted, .exists)
    try scene.waitFor("it is not shared") {
      scene.volume?.notShared(at: wanted.path)?.reason == .noConflictName
    }
    #expect(scene.group.entries[wanted.id] == nil)
  }
}

extension WatchedFolder {
  /// The own folder, open.
  func openOwn() throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(
      try retryingOnInterrupt(own) { open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  /// Waits until something at a path is not shared for a reason; nil: until it is not unshared.
  func waits(for reason: OccupiedReason?, at path: String) throws {
    let path = try SharePath(Array(path.utf8))
    try waitFor("\(String(decoding: path.bytes, as: UTF8.self)): \(String(describing: reason))") {
      volume?.notShared(at: path)?.reason == reason
    }
  }

  /// Waits until something is so.
  func waitFor(_ what: String, _ condition: () -> Bool) throws {
    let deadline = MonotonicClock.now + .seconds(20)
    while !condition() {
      guard MonotonicClock.now < deadline else {
        throw SystemError(code: ETIMEDOUT, call: what)
      }
      group.waitForChange(.milliseconds(20))
    }
  }
}

extension TakingGroup {
  /// What was told and no decoder takes.
  var faults: [String] { entries.values.compactMap { $0.fault.map { "\($0)" } } }
}
