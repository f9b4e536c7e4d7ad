import CLinux
import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// Own folders with everything in them that a file system can hold. `FSHAREFS_ODD=N`: N seeds of
  /// 400 changes.
  @Suite struct OddFolders {
    private static let seeds = 1...(Environment.get("FSHAREFS_ODD").flatMap { UInt64($0) } ?? 1)
    private static let changes = Environment.get("FSHAREFS_ODD") == nil ? 150 : 400

    /// S80, S83, S84: members agree, nothing stops, and what is not shared has its reason.
    @Test(arguments: seeds) func whateverLiesThereMembersAgree(seed: UInt64) throws {
      try withFixture(within: .seconds(300)) { fixture in
        let odd = OddFolder(try fixture.newFolder("odd"), seed: seed, fixture)
        fixture.atEnd { [path = odd.path] in
          for point in MountPoint.all(below: path) { MountPoint.detach(point) }
        }
        defer { odd.end() }
        do {
          for _ in 0..<Self.changes { odd.change() }
          let (host, hub) = try fixture.host()
          let guest = try fixture.member("guest", of: hub, approvedBy: host, own: odd.path)
          try Self.check(odd, guest, host, fixture)
          for _ in 0..<3 {
            for _ in 0..<Self.changes / 3 { odd.change() }
            try Self.check(odd, guest, host, fixture)
          }
          #expect(try guest.leave() == .exit(0))
          try guest.start(["--nowait", hub])
          try guest.waits(for: .live)
          try Self.check(odd, guest, host, fixture)
          try Files.write(host.path("the host's"), "goes on")
          try fixture.waitFor(guest.path("the host's"), "goes on")
        } catch {
          throw NeverHappened(description: "seed \(seed): \(error)")
        }
      }
    }

    private static func check(
      _ odd: OddFolder, _ guest: Daemon, _ host: Daemon, _ fixture: Fixture
    ) throws {
      var last = ""
      do {
        try eventually("the host shows what can be shared") {
          let expected = try odd.expected()
          last = try difference(expected, host.mount)
          let unshared = expected.values.count { if case .unshared = $0 { true } else { false } }
          let status = try guest.status()
          if status.notShared != unshared {
            last += "\nnot shared: \(status.notShared), expected: \(unshared)"
          }
          return last.isEmpty && status.pendingChanges == 0
        }
      } catch { throw NeverHappened(description: "\(error)\n\(last)") }
      for (path, item) in try odd.expected() {
        guard case .unshared(let reason) = item, let text = String(validating: path, as: UTF8.self)
        else { continue }
        let why = try fixture.run(
          Programs.control, "why", "--state", guest.state, "--", guest.path(text))
        guard why.text.contains("not shared"), why.text.contains(reason) else {
          throw NeverHappened(description: "why \(text): \(why.text)\(why.errors), not '\(reason)'")
        }
      }
    }

    /// What a mount shows beside what it should.
    private static func difference(
      _ expected: [[UInt8]: OddFolder.Expected], _ mount: String
    ) throws -> String {
      var lines: [String] = []
      var shown = Set<[UInt8]>()
      try walk(Array(mount.utf8), [], &shown)
      for (path, item) in expected {
        let name = String(decoding: path, as: UTF8.self)
        let place = Array(mount.utf8) + [0x2f] + path
        if case .unshared(let reason) = item {
          if shown.contains(path) { lines.append("\(name): shown, \(reason)") }
          continue
        }
        guard shown.contains(path), let stat = try? Stat(at: AT_FDCWD, name: place) else {
          lines.append("\(name): not shown, \(item)")
          continue
        }
        switch item {
        case .folder where stat.isDirectory: break
        case .link where stat.isSymlink: break
        case .file(let size, let modified, let digest):
          if stat.isRegular, stat.size == size, stat.mtime == modified,
            try digest == nil || Tree.digest(place) == digest
          {
            break
          }
          fallthrough
        default: lines.append("\(name): \(stat), not \(item)")
        }
      }
      for path in shown where expected[path] == nil {
        lines.append("\(String(decoding: path, as: UTF8.self)): shown, and not there")
      }
      return lines.sorted().prefix(20).joined(separator: "\n")
    }

    private static func walk(
      _ folder: [UInt8], _ prefix: [UInt8], _ shown: inout Set<[UInt8]>
    ) throws {
      for name in try Tree.names(in: folder) {
        let key = prefix.isEmpty ? name : prefix + [0x2f] + name
        shown.insert(key)
        let place = folder + [0x2f] + name
        if try Stat(at: AT_FDCWD, name: place).isDirectory { try walk(place, key, &shown) }
      }
    }
  }
}
