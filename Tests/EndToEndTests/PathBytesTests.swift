import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S107: paths are bytes, in the mount and in `fsharectl`.
  @Suite struct PathBytes {
    /// Two folders whose names are one for Swift, and for a person's eye: what is said of one is
    /// not done to the other.
    @Test func equivalentNamesAreTwoNames() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let place = try fixture.newFolder("place")
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        for name in [composed, decomposed] {
          try Files.makeFolder("\(place)/\(name)")
          try Files.write("\(place)/\(name)/file", Array(name.utf8))
          try fixture.control(host, "share", "\(place)/\(name)").succeeded()
        }
        for name in [composed, decomposed] {
          // Not compared as text, which would take one for the other.
          try eventually("\(name) has its own file") {
            (try? Files.read(host.path("\(name)/file"))) == Array(name.utf8)
          }
        }
        // By where it lies, then the other one by its name.
        try fixture.control(host, "unshare", "\(place)/\(decomposed)").succeeded()
        #expect(try Files.names(in: host.mount) == [Array(composed.utf8)])
        let again = try fixture.control(host, "unshare", "\(place)/\(decomposed)")
        #expect(again.ending == .exit(1))
        try fixture.control(host, "share", "\(place)/\(decomposed)").succeeded()
        try fixture.control(host, "unshare", composed).succeeded()
        #expect(try Files.names(in: host.mount) == [Array(decomposed.utf8)])
        let why = try fixture.control(host, "why", composed)
        #expect(why.ending == .exit(1) && why.errors.contains("there is no"))
        try fixture.control(host, "why", decomposed).succeeded()
      }
    }

    /// A name that is no UTF-8, as files of older systems have: given, shared, told of, paused.
    @Test func namesThatAreNotTextCanBeGiven() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let place = try fixture.newFolder("place")
        let latin1 = String(pathBytes: Array("caf".utf8) + [0xE9])
        let folder = "\(place)/\(latin1)"
        try File.makeDirectories(folder, mode: 0o755)
        try fixture.shell("echo coffee > \"$1/file\"", folder).succeeded()
        let said = try fixture.control(host, "share", folder).succeeded().text
        #expect(said == "'\(place)/caf\\xE9' is shared as 'caf\\xE9'\n")
        try eventually("the other sees it") {
          let seen = try fixture.shell("cat \"$1/\"*/file", guest.mount)
          return seen.text == "coffee\n"
        }
        #expect(try Files.names(in: guest.mount) == [latin1.pathBytes])
        let shares = try fixture.control(host, "shares").succeeded().text
        #expect(shares.contains("caf\\xE9") && shares.contains("\(place)/caf\\xE9"))
        #expect(
          try fixture.control(host, "shares", "--json").succeeded().text
            .contains("\"\(place)/caf\\\\xE9\""))

        for words in ["\(latin1)/file", guest.path("\(latin1)/file")] {
          let why = try fixture.control(guest, "why", words).succeeded().text
          #expect(why.hasPrefix("caf\\xE9/file is a file of 7 B"))
          try fixture.control(guest, "pause", words).succeeded()
          #expect(try guest.status().paused == ["caf\\xE9/file"])
          try fixture.control(guest, "resume", words).succeeded()
        }
        try fixture.control(host, "unshare", folder).succeeded()
        try eventually("the other sees it no more") { try Files.names(in: guest.mount).isEmpty }
        try fixture.control(host, "share", folder, "--as", "d\(latin1)").succeeded()
        try fixture.control(host, "unshare", "d\(latin1)").succeeded()
        #expect(try Files.names(in: host.mount).isEmpty)
      }
    }

    /// What is shared in place under such a name is so after a restart; and so are the folders of a
    /// mount.
    @Test func everyFolderMayHaveSuchAName() throws {
      try withFixture { fixture in
        let place = try fixture.newFolder("place")
        let base = "\(place)/\(String(pathBytes: [0xE9]))"
        let (mount, state, own) = ("\(base)/mount", "\(base)/state", "\(base)/own")
        for folder in [mount, "\(base)/lies"] { try File.makeDirectories(folder, mode: 0o755) }
        for round in 1...2 {
          let log = fixture.newPath("odd") + ".log"
          let process = try RunningProcess(
            [
              Programs.fsharefs, "-f", "--host", "--listen", "127.0.0.1:0", "--state", state,
              "--own", own, "--cache", "\(base)/cache", mount,
            ], output: log, errors: log)
          _ = fixture.watch(process)
          func control(_ words: String...) throws -> Command {
            try fixture.run([Programs.control, "--state", state] + words)
          }
          try eventually("it is live") { try control("status").text.contains("live") }
          if round == 1 { try control("share", "\(base)/lies").succeeded() }
          let status = try control("status").succeeded().text
          #expect(status.contains("\(place)/\\xE9/mount") && status.contains("\\xE9/own"))
          try fixture.shell("echo \"$2\" > \"$1/file $2\"", mount, "\(round)").succeeded()
          let list = try fixture.shell("cd \"$1\"; ls; cd \"$2\"; ls", mount, own).succeeded().text
          let files = (1...round).map { "file \($0)\n" }.joined()
          #expect(list == files + "lies\n" + files)
          #expect(
            try control("why", "\(mount)/lies").succeeded().text.hasPrefix("lies is your own"))
          process.kill(SIGTERM)
          #expect(try process.wait() == .exit(0))
          #expect(try fixture.shell("ls \"$1\"", mount).succeeded().text == "")
        }
      }
    }
  }
}
