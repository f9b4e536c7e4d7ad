import Control
import Glibc
import System
import Testing

extension EndToEnd {
  /// S125: a hub has several addresses.
  @Suite struct Routes {
    @Test func theOneThatWorksIsFoundAndRemembered() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let port = try #require(hub.split(separator: ":").last)
        // Another group's hub, and another service, where the invite says that the hub may be.
        let other = try Daemon("other", fixture)
        try other.start(["--host", "--listen", "127.0.0.2:\(port)"])
        try other.waits(for: .live)
        let stranger = try RunningProcess(
          ["python3", "-m", "http.server", "\(port)", "--bind", "127.0.0.3"],
          output: "/dev/null", errors: "/dev/null", folder: try fixture.newFolder("web"))
        _ = fixture.watch(stranger)
        fixture.atEnd {
          stranger.kill(SIGKILL)
          _ = try? stranger.wait()
        }
        let link = try fixture.control(host, "invite").succeeded().text
          .split(separator: "\n")[0].replacing("127.0.0.1", with: "127.0.0.9")
        let guest = try Daemon("guest", fixture)
        try guest.start([
          "--nowait", link + "/127.0.0.2,127.0.0.3,127.0.0.1",
        ])
        try guest.waits(for: .waiting)
        let id = try guest.publicID()
        try fixture.control(host, "approve", "\(id)", "--yes").succeeded()
        try guest.waits(for: .live)
        try eventually("the way is written down") {
          try Files.text(guest.state + "/group").contains("route 127.0.0.1\n")
        }
        // It knows them all, and begins with that one.
        #expect(try fixture.control(guest, "invite").succeeded().text.contains("127.0.0.2"))
        #expect(try guest.leave() == .exit(0))
        try guest.start([])
        try guest.waits(for: .live)
        #expect(try other.members().count == 1)
      }
    }
  }
}
