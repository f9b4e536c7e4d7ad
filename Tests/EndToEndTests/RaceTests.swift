import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Two members take one path in the same instant, again and again.
  @Suite struct Races {
    /// What one of the two does, and how to find what came of it.
    enum Deed: String, CaseIterable, Sendable {
      case copy, create, makeFolder, rename, renameFolder, symlink
    }

    struct Pair: CustomStringConvertible, Sendable {
      let one: Deed
      let other: Deed
      var description: String { "\(one) and \(other)" }
    }

    static let pairs: [Pair] = Deed.allCases.enumerated().flatMap { index, one in
      Deed.allCases[index...].map { Pair(one: one, other: $0) }
    }

    private static let rounds = 6

    /// S1, S9, S23, S66: one has the path; the other's program hears of it, or what it made goes on
    /// under the conflict name. Both see the same, and nothing is lost.
    @Test func onePathIsTakenByOne() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let members = [
          try fixture.member("anna", of: hub, approvedBy: host),
          try fixture.member("bert", of: hub, approvedBy: host),
        ]
        let source = fixture.newPath("source")
        var made: [(name: String, member: Int, deed: Deed)] = []
        for pair in Self.pairs {
          for round in 0..<Self.rounds {
            let name = "\(pair.one)-\(pair.other)-\(round)"
            let deeds = [pair.one, pair.other]
            for (index, deed) in deeds.enumerated() {
              try prepare(deed, name, members[index], index)
            }
            let errors = Locked<[Int32]>([0, 0])
            let start = Gate(2)
            let threads = try deeds.enumerated().map { index, deed in
              let mount = members[index].mount
              return try Thread.start(name: "racer") {
                start.pass()
                let error = Files.errorOf { try Self.perform(deed, name, mount, index, source) }
                errors.withLock { $0[index] = error }
              }
            }
            for thread in threads { thread.join() }
            for (index, error) in errors.withLock({ $0 }).enumerated() {
              if error == 0 {
                made.append((name, index, deeds[index]))
              } else {
                #expect([EEXIST, EPERM, EACCES, EISDIR, ENOTDIR].contains(error), "\(name)")
              }
            }
          }
        }
        try fixture.waitForSameList(members[0], members[1])
        try fixture.waitForSameList(members[0], host)
        try fixture.waitForEquality(members[0].mount, members[1].mount)
        try fixture.waitForEquality(members[0].mount, host.mount)
        for one in made {
          let owner = ["anna", "bert"][one.member]
          let places = [one.name, "\(one.name) (conflict, \(owner))"]
          let isKept = places.contains { place in
            Self.isThere(one.deed, host.path(place), one.member)
          }
          #expect(isKept, "\(one.deed) of \(one.name) by \(owner) is lost")
        }
      }
    }

    /// What has to be there before: what is renamed.
    private func prepare(_ deed: Deed, _ name: String, _ member: Daemon, _ index: Int) throws {
      if deed == .rename { try Files.write(member.path("\(name).\(index)"), "of \(index)") }
      if deed == .renameFolder {
        try Files.makeFolder(member.path("\(name).\(index)"))
        try Files.write(member.path("\(name).\(index)/of \(index)"), "of \(index)")
      }
    }

    private static func perform(
      _ deed: Deed, _ name: String, _ mount: String, _ index: Int, _ source: String
    ) throws {
      let path = "\(mount)/\(name)"
      switch deed {
      case .copy: try Files.write(path, "of \(index)")
      case .create: try Files.write(path, "of \(index)", flags: O_CREAT | O_EXCL)
      case .makeFolder: try Files.makeFolder(path)
      case .rename, .renameFolder: try Files.rename("\(path).\(index)", path)
      case .symlink: try Files.symlink(path, to: "of \(index)")
      }
    }

    private static func isThere(_ deed: Deed, _ path: String, _ index: Int) -> Bool {
      switch deed {
      case .copy, .create, .rename: (try? Files.text(path)) == "of \(index)"
      case .makeFolder: (try? Stat(path: path).isDirectory) ?? false
      case .renameFolder: (try? Files.text("\(path)/of \(index)")) == "of \(index)"
      case .symlink:
        (try? readlink(path)) == "of \(index)"
      }
    }

    private static func readlink(_ path: String) throws -> String {
      var buffer = [CChar](repeating: 0, count: 100)
      let count = try retryingOnInterrupt("readlink") {
        Glibc.readlink(path, &buffer, buffer.count)
      }
      return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}

/// Lets nobody through before all are there.
private final class Gate: Sendable {
  private let missing: Monitor<Int>

  init(_ count: Int) { missing = Monitor(count) }

  func pass() {
    missing.update { $0 -= 1 }
    _ = missing.wait { $0 <= 0 ? true : nil }
  }
}
