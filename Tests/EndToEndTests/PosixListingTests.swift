import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct PosixListing {
    /// S48: what nobody has looked into counts too.
    @Test func aDirectoryHasALinkOfEachDirectoryInIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        for folder in ["d", "d/a", "d/b", "d/b/c"] { try Files.makeFolder(host.path(folder)) }
        try Files.write(host.path("d/file"), "")
        for (folder, links) in [("d", 4), ("d/b", 3), ("d/a", 2)] as [(String, UInt64)] {
          try eventually("the links of \(folder)") {
            (try? Stat(path: guest.path(folder)))?.nlink == links
          }
          #expect(try Stat(path: host.path(folder)).nlink == links)
        }
        // The file is told behind the folders: it may be a moment later than their links.
        try eventually("all of it is listed") {
          try Files.list(guest.path("d")).sorted() == ["a", "b", "file"]
        }
        #expect(try Stat(path: guest.path("d")).nlink == 4)
      }
    }

    /// S46: whatever goes and comes meanwhile, each name that stays is told once.
    @Test func listingsAreStable() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("many"))
        let count = 3_000
        for index in 0..<count { try Files.makeFolder(host.path("many/entry \(index)")) }
        try eventually("the other member lists all") {
          try Files.list(guest.path("many")).count == count
        }
        // Some of them go while they are listed, at either side, and others come.
        for (mount, side, step) in [(host.mount, "own", 2), (guest.mount, "others'", 3)] {
          let before = try Files.list(host.path("many"))
          try eventually("both list the same") { try Files.list(guest.path("many")) == before }
          let directory = try #require(opendir(mount + "/many"))
          defer { closedir(directory) }
          var seen: [String] = []
          while let name = nextName(of: directory) {
            seen.append(name)
            guard name.hasPrefix("entry "), let number = Int(name.dropFirst(6)) else { continue }
            if number % step == 0 { try Files.removeFolder(host.path("many/entry \(number)")) }
            if number % 100 == 1 { try Files.makeFolder(host.path("many/\(side) \(number)")) }
          }
          #expect(Set(seen).count == seen.count, "\(side): none is told twice")
          let all = Set(seen)
          let after = Set(try Files.list(host.path("many")))
          let missed = before.filter { after.contains($0) && !all.contains($0) }
          #expect(missed.isEmpty, "\(side): none that stayed is missed")
        }
        try fixture.waitForEquality(host.mount, guest.mount)
        try fixture.shell("rm -r \"$1/many\"", host.mount).succeeded()
        try fixture.waitForAbsence(guest.path("many"))
      }
    }

    /// S46: a name that is replaced again and again is always there.
    @Test func aReplacedNameIsListedOnce() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        for index in 0..<400 { try Files.makeFolder(host.path("before \(index)")) }
        try Files.write(host.path("text"), "0")
        for index in 0..<400 { try Files.makeFolder(host.path("after \(index)")) }
        for round in 0..<10 {
          let directory = try #require(opendir(host.mount))
          defer { closedir(directory) }
          var seen: [String: Int] = [:]
          var looks = 0
          while let name = nextName(of: directory) {
            seen[name, default: 0] += 1
            looks += 1
            if looks % 100 == round * 10 {
              try Files.write(host.path("new"), "\(looks)")
              try Files.rename(host.path("new"), host.path("text"))
            }
          }
          #expect(seen["text"] == 1)
          #expect(seen.values.allSatisfy { $0 == 1 })
        }
      }
    }

    /// S46: going back, to the beginning and to places.
    @Test func placesInListingsAgree() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.expectAgreement(host.mount, "places") { trace in
          try trace.write("first", "")
          let directory = try #require(opendir(trace.folder))
          defer { closedir(directory) }
          trace.note("at first", allNames(of: directory))
          for index in 0..<300 { try trace.write("name \(index)", "") }
          rewinddir(directory)
          trace.note("all", allNames(of: directory))
          rewinddir(directory)
          var places: [(String, Int)] = []
          var place = telldir(directory)
          while let name = nextName(of: directory) {
            places.append((name, place))
            place = telldir(directory)
          }
          for (name, place) in places.sorted(by: { $0.0 < $1.0 })
          where name.hasSuffix("7") || name.hasPrefix(".") {
            seekdir(directory, place)
            trace.note("at the place of \(name)", nextName(of: directory) == name)
          }
          try Files.unlink(trace.path("first"))
          rewinddir(directory)
          trace.note("without the first", allNames(of: directory).count)
          // What a listing says of each is what `stat` says.
          rewinddir(directory)
          var differ = 0
          while let item = readdir(directory) {
            let name = nameOf(item)
            guard let stat = try? Stat(at: AT_FDCWD, name: Array(trace.path(name).utf8)) else {
              continue
            }
            if name != "..", stat.ino != UInt64(item.pointee.d_ino) { differ += 1 }
            if Int(item.pointee.d_type) != (stat.isDirectory ? 4 : 8) { differ += 1 }
          }
          trace.note("different", differ)
        }
      }
    }
  }
}

/// The next name of a listing; nil at its end.
private func nextName(of directory: OpaquePointer) -> String? {
  readdir(directory).map { nameOf($0) }
}

/// All that is left of a listing, sorted.
private func allNames(of directory: OpaquePointer) -> [String] {
  var names: [String] = []
  while let name = nextName(of: directory) { names.append(name) }
  return names.sorted()
}

private func nameOf(_ item: UnsafeMutablePointer<dirent>) -> String {
  // SAFETY: `d_name` is NUL-terminated within the item, which lives until the next readdir.
  withUnsafeBytes(of: &item.pointee.d_name) {
    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
  }
}
