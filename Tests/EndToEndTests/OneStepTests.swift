import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// Changes of one member, looked at by another one all the time.
  @Suite struct OneStep {
    /// S64: whoever polls both names of a rename sees one of them, in every way of looking.
    @Test func aRenameIsOneStep() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(host.path("0"), "content")
        try fixture.waitFor(guest.path("0"), "content")
        let mount = host.mount
        for round in 0..<250 {
          let (old, new) = (guest.path("\(round)"), guest.path("\(round + 1)"))
          // The kernel knows the one and knows that the other is not there.
          try #require(Files.exists(old) && !Files.exists(new))
          let renamer = try Thread.start(name: "renamer") {
            try? Files.rename("\(mount)/\(round)", "\(mount)/\(round + 1)")
          }
          defer { renamer.join() }
          try lookUntil("round \(round): the new name is there") {
            try Glance(old, new, in: guest.mount).check(round: round)
          }
          for _ in 0..<3 {
            try #require(try Glance(old, new, in: guest.mount).check(round: round))
          }
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S64: the same of a folder with what lies in it.
    @Test func aRenameOfAFolderIsOneStep() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("0"))
        for name in 0..<20 { try Files.write(host.path("0/\(name)"), "\(name)") }
        try guest.lists(21)
        for round in 0..<60 {
          let (old, new) = (guest.path("\(round)"), guest.path("\(round + 1)"))
          try #require(Files.exists(old + "/7") && !Files.exists(new + "/7"))
          try Files.rename(host.path("\(round)"), host.path("\(round + 1)"))
          try lookUntil("round \(round): the new name is there") {
            let isOld = Files.exists(old + "/7")
            let isNew = Files.exists(new + "/7")
            try #require(isOld || isNew, "round \(round): neither")
            if isNew {
              try #require(!Files.exists(old), "round \(round): both")
              try #require(try Files.list(new).count == 20)
            }
            return isNew
          }
        }
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// S15, S26, S64: a file that is replaced all the time can always be opened, and is whole: one
    /// version or the next.
    @Test(arguments: [true, false]) func aReplacementIsOneStep(byRename: Bool) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let size = 300_000
        func write(_ round: Int) throws {
          let bytes = [UInt8](repeating: UInt8(round & 0xff), count: size)
          if byRename {
            try Files.write(host.path("new"), bytes)
            try Files.rename(host.path("new"), host.path("file"))
          } else {
            try Files.write(host.path("file"), bytes)
          }
        }
        try write(0)
        try eventually("it is listed") {
          try Stat(path: guest.path("file")).size == size && !Files.exists(guest.path("new"))
        }
        let faults = Locked<[String]>([])
        let isDone = Locked(false)
        let wholes = Locked(0)
        let path = guest.path("file")
        let readers = try (0..<2).map { _ in
          try Thread.start(name: "reader") {
            while !isDone.withLock({ $0 }) {
              if let fault = Self.readWhole(path, size) {
                faults.withLock { $0.append(fault) }
              } else {
                wholes.withLock { $0 += 1 }
              }
            }
          }
        }
        for round in 1...200 { try write(round) }
        isDone.withLock { $0 = true }
        for reader in readers { reader.join() }
        #expect(faults.withLock { $0 } == [])
        #expect(wholes.withLock { $0 } > 0)
        try fixture.waitForEquality(host.mount, guest.mount)
      }
    }

    /// Opens and reads a file as long as it takes to get one version of it. Returns: what went
    /// wrong.
    private static func readWhole(_ path: String, _ size: Int) -> String? {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      if descriptor < 0 { return "open gave error \(errno)" }
      let file = OwnedDescriptor(descriptor)
      var seen: Set<UInt8> = []
      var bytes = [UInt8](repeating: 0, count: 65_536)
      var offset = 0
      while offset < size {
        let count = pread(file.raw, &bytes, bytes.count, off_t(offset))
        // The version that was opened is gone: that is said, and the next try gets another.
        if count < 0 { return errno == ESTALE ? nil : "read gave error \(errno)" }
        if count == 0 { return "it ended after \(offset) bytes" }
        seen.formUnion(bytes[..<count])
        offset += count
      }
      return seen.count == 1 ? nil : "a mixture of \(seen.sorted())"
    }
  }
}

/// One look at the two names of a rename: each pair of answers is of a moment in which the rename
/// was not yet done, or was.
private struct Glance {
  private let old: String
  private let new: String
  private let folder: String

  init(_ old: String, _ new: String, in folder: String) {
    self.old = old
    self.new = new
    self.folder = folder
  }

  /// Returns: whether the rename is done. Throws where two answers contradict each other.
  func check(round: Int) throws -> Bool {
    let names = [old, new].map { String($0.dropFirst(folder.count + 1)) }
    for (way, isThere) in [("stat", Files.exists), ("open", opens)] {
      // First the old name: once it is gone, the new one is there.
      let (hasOld, hasNew) = (isThere(old), isThere(new))
      if !hasOld, !hasNew { throw contradiction(round, "neither by \(way)") }
      // First the new name: once it is there, the old one is gone.
      if isThere(new), isThere(old) { throw contradiction(round, "both by \(way)") }
    }
    let listed = try Files.list(folder).filter { names.contains($0) }
    if listed.count != 1 { throw contradiction(round, "a listing of \(listed)") }
    if listed == [names[1]], Files.exists(old) || opens(old) {
      throw contradiction(round, "the old name behind a listing of the new one")
    }
    let isDone = opens(new)
    if isDone, try Files.list(folder).contains(names[0]) {
      throw contradiction(round, "a listing of the old name behind an open of the new one")
    }
    return isDone
  }

  private func contradiction(_ round: Int, _ what: String) -> Contradiction {
    Contradiction(description: "round \(round): \(what)")
  }

  private func opens(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file >= 0 { close(file) }
    return file >= 0
  }
}

/// Two answers that cannot both be true.
private struct Contradiction: Error, CustomStringConvertible {
  let description: String
}
