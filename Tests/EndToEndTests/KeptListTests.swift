import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// The list outlives the process, and nobody ever sees half of it.
  @Suite struct KeptLists {
    private static let entries = 20_000

    /// S100, S101: whoever lists a mount while its member, or the host, is restarted again and
    /// again gets an error or all of it, also where the list must be taken from the master anew.
    @Test func noHalfListIsEverSeen() throws {
      try withFixture(within: .seconds(400)) { fixture in
        let own = try fixture.newFolder("own")
        for file in 0..<Self.entries { try Files.write("\(own)/\(file)", "") }
        let (host, hub) = try fixture.host(own: own)
        try host.lists(Self.entries)
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let atGuest = try Lister(guest.mount, expecting: Self.entries)
        let atHost = try Lister(host.mount, expecting: Self.entries)
        defer { for lister in [atGuest, atHost] { lister.stop() } }
        try atGuest.seesAll()
        for round in 0..<5 {
          if round % 2 == 0 { try guest.crash() } else { #expect(try guest.leave() == .exit(0)) }
          if round == 3 { try Files.unlink(guest.state + "/list") }
          try guest.start(round == 2 ? [hub] : ["--nowait", hub])
          try guest.waits(for: .live)
          try atGuest.seesAll()
        }
        try host.crash()
        try atGuest.seesAll()
        try host.start(["--host", "--listen", hub])
        try atHost.seesAll()
        try eventually("the guest is back") { try guest.status().masterPresent }
        try atGuest.seesAll()
        #expect(atGuest.wrong == [] && atHost.wrong == [])
      }
    }

    /// S72, S100: with hub and master away a restarted member shows what it knew and reads what is
    /// on its disk; what came meanwhile shows when they are back.
    @Test func aRestartWithoutTheHubShowsWhatWasKnown() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let options = ["--cache", fixture.newPath("cache"), "-o", "timeout=2"]
        let guest = try fixture.member("guest", of: hub, approvedBy: host, options)
        let content = Samples.bytes(300_000, seed: 5)
        try Files.makeFolder(host.path("folder"))
        try Files.write(host.path("folder/read"), content)
        try Files.write(host.path("folder/unread"), content)
        try Files.write(guest.path("guest's"), "g")
        try fixture.waitFor(host.path("guest's"), "g")
        try fixture.waitFor(guest.path("folder/unread"))
        #expect(try Files.read(guest.path("folder/read")) == content)
        try eventually("what was read is on disk") { try guest.status().diskCacheBytes ?? 0 > 0 }
        #expect(try guest.leave() == .exit(0))
        #expect(try Stat(path: guest.state + "/list").permissions == 0o600)
        try host.crash()

        try guest.start(options)
        try eventually("it is mounted") { MountPoint.isLive(guest.mount) }
        #expect(try Files.list(guest.mount) == ["folder", "guest's"])
        #expect(try Files.list(guest.path("folder")) == ["read", "unread"])
        #expect(try Files.read(guest.path("folder/read")) == content)
        #expect(Files.errorOf { _ = try Files.read(guest.path("folder/unread")) } == ETIMEDOUT)
        #expect(try Files.text(guest.path("guest's")) == "g")

        try host.start(["--host", "--listen", hub])
        try host.waits(for: .live)
        try Files.write(host.path("new"), "n")
        try fixture.waitFor(guest.path("new"), "n")
        #expect(try Files.read(guest.path("folder/unread")) == content)
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S40, S101: while a master that lost its journal takes the list back, the others see it as it
    /// was.
    @Test func aListThatIsRebuiltIsNeverSeenHalf() throws {
      try withFixture { fixture in
        let own = try fixture.newFolder("own")
        for file in 0..<3_000 { try Files.write("\(own)/\(file)", "") }
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        _ = try fixture.member("owner", of: hub.address, approvedBy: master, own: own)
        let reader = try fixture.member("reader", of: hub.address, approvedBy: master)
        try reader.lists(3_000)
        let lister = try Lister(reader.mount, expecting: 3_000)
        defer { lister.stop() }
        try lister.seesAll()
        let epoch = try master.status().epoch
        try master.crash()
        try Files.removeTree(master.state + "/journal")
        try master.start(["--master", hub.address])
        try master.waits(for: .live)
        try eventually("the reader has the new list") {
          let status = try reader.status()
          return status.epoch != epoch && status.entries == 3_000
        }
        try lister.seesAll()
        #expect(lister.wrong == [])
        try Files.write(own + "/0", "changed")
        try fixture.waitFor(reader.path("0"), "changed")
        #expect(lister.wrong == [])
      }
    }

    /// S102: what cannot be loaded is taken anew, with one line.
    @Test func aDamagedListIsTakenAnew() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("file"), "x")
        try fixture.waitFor(guest.path("file"), "x")
        #expect(try guest.leave() == .exit(0))
        try Files.write(guest.state + "/list", "no list at all, and long enough to be read as one")
        try guest.start([hub])
        try guest.waits(for: .live)
        #expect(try Files.list(guest.mount) == ["file"])
        let lines = try Files.text(guest.log).split(separator: "\n")
        #expect(lines.count { $0.contains("the kept list") } == 1)
      }
    }

    /// S33, S34, S103: without a complete list nothing is listed and nothing but one's own found,
    /// and that is an error, never an empty directory; what the mount itself is asked works.
    @Test func withoutAListNothingIsListed() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        try Files.makeFolder(host.path("folder"))
        try Files.write(host.path("folder/secret"), "s")
        let own = try fixture.newFolder("own")
        try Files.makeFolder(own + "/folder")
        try Files.write(own + "/folder/mine", "m")
        let guest = try fixture.waitingMember("guest", of: hub, own: own)
        func expectNoList(_ code: Int32) throws {
          for folder in ["", "folder"] {
            #expect(Files.errorOf { _ = try Files.list(guest.path(folder)) } == code)
          }
          for name in ["folder/secret", "nothing", "folder/nothing"] {
            #expect(Files.errorOf { _ = try Stat(path: guest.path(name)) } == code, "\(name)")
          }
          #expect(try Files.text(guest.path("folder/mine")) == "m")
          try fixture.run("df", guest.mount).succeeded()
          #expect(try Stat(path: guest.mount).isDirectory)
        }
        try expectNoList(EHOSTDOWN)
        let id = "\(try guest.publicID())"
        try fixture.control(host, "approve", id, "--yes").succeeded()
        try guest.waits(for: .live)
        #expect(try Files.list(guest.path("folder")) == ["mine", "secret"])
        #expect(try Files.text(guest.path("folder/secret")) == "s")
        try eventually("the list is kept") { Files.exists(guest.state + "/list") }

        // A listing that was opened before gives the error too.
        guard let begun = opendir(guest.mount) else { throw SystemError("opendir") }
        defer { closedir(begun) }
        try fixture.control(host, "disapprove", id).succeeded()
        try guest.waits(for: .disapproved)
        try expectNoList(EACCES)
        errno = 0
        #expect(readdir(begun) == nil && errno == EACCES)
        try fixture.waitForAbsence(guest.state + "/list")
        try fixture.control(host, "approve", id, "--yes").succeeded()
        try guest.waits(for: .live)
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S48: the numbers of others' entries are the same after a remount, also where the list was
    /// lost; new content has another one, what has only grown or moved the same.
    @Test func numbersOfOthersEntriesStay() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("folder"))
        for name in ["folder/file", "log", "changed"] { try Files.write(host.path(name), "one\n") }
        try Files.symlink(host.path("folder/link"), to: "file")
        let names = ["folder", "folder/file", "folder/link", "log", "changed"]
        try guest.lists(names.count)
        func numbers() throws -> [UInt64] {
          try names.map { try Stat(at: AT_FDCWD, name: Array(guest.path($0).utf8)).ino }
        }
        func restart() throws {
          #expect(try guest.leave() == .exit(0))
          try guest.start(["--nowait", hub])
          try guest.waits(for: .live)
          try eventually("all is there") { (try? numbers()) != nil }
        }
        let first = try numbers()
        #expect(Set(first).count == names.count && first.allSatisfy { $0 >> 63 == 1 })
        let listed = try fixture.shell("ls -i \"$1/folder\" | tr -s ' '", guest.mount).text
        #expect(listed.contains("\(first[1]) file"))
        try restart()
        #expect(try numbers() == first)

        try Files.write(host.path("log"), "two\n", flags: O_APPEND)
        try Files.write(host.path("changed"), "two\n")
        try fixture.waitFor(guest.path("log"), "one\ntwo\n")
        try fixture.waitFor(guest.path("changed"), "two\n")
        try Files.rename(host.path("folder"), host.path("moved"))
        try fixture.waitFor(guest.path("moved/file"))
        try Files.rename(host.path("moved"), host.path("folder"))
        try fixture.waitFor(guest.path("folder/file"))
        let second = try numbers()
        #expect(second.dropLast() == first.dropLast() && second.last != first.last)
        try fixture.waitForSameList(host, guest)
        #expect(try guest.leave() == .exit(0))
        try Files.unlink(guest.state + "/list")
        try guest.start([hub])
        try guest.waits(for: .live)
        #expect(try numbers() == second)
      }
    }
  }
}

/// Lists a mount again and again, until it is told to stop.
private final class Lister: Sendable {
  private struct State {
    var wholes = 0
    var wrong: [String] = []
    var isDone = false
  }

  private let state = Locked(State())
  private let thread: JoinableThread

  /// `expecting`: how many names are all of them.
  init(_ mount: String, expecting count: Int) throws(SystemError) {
    let state = state
    thread = try Thread.start(name: "lister") {
      while !state.withLock({ $0.isDone }) {
        // Between two mounts there is nothing to list, and nothing to do meanwhile.
        guard let seen = Lister.look(mount) else {
          poll(nil, 0, 2)
          continue
        }
        state.withLock { state in
          if seen == count { state.wholes += 1 } else { state.wrong.append("\(seen) names") }
        }
      }
    }
  }

  /// The listings that were neither whole nor an error.
  var wrong: [String] { state.withLock { $0.wrong } }

  /// Waits until two whole listings were seen from now on: the second was begun after this call.
  func seesAll() throws {
    let before = state.withLock { $0.wholes }
    try eventually("whole listings are seen") { state.withLock { $0.wholes } > before + 1 }
  }

  func stop() {
    state.withLock { $0.isDone = true }
    thread.join()
  }

  /// How many names the mount shows; nil where it is not there, or gives an error.
  private static func look(_ mount: String) -> Int? {
    let descriptor = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { return nil }
    // What lies below a mount that is not there is an empty folder.
    var system = statfs()
    guard fstatfs(descriptor, &system) == 0, system.f_type == 0x6573_5546,
      let stream = fdopendir(descriptor)
    else {
      close(descriptor)
      return nil
    }
    defer { closedir(stream) }
    var count = 0
    while true {
      errno = 0
      guard let entry = readdir(stream) else { return errno == 0 ? count : nil }
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
  }
}
