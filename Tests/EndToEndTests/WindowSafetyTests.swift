import Control
import Glibc
import System
import Testing

extension Commands {
  /// What the window answers to whom.
  @Suite struct WindowSafety {
    /// A browser that was let in, and says what it likes.
    private struct Visitor {
      let http: PlainHTTP
      let cookie: String
      let key: String

      var headers: [String] { ["Cookie: \(cookie)", "X-Fsharefs-Key: \(key)"] }

      init(_ fixture: Fixture, _ daemon: Daemon) throws {
        let address = try fixture.windowAddress(of: daemon)
        let parts = address.split(separator: "=")
        let port = address.dropFirst("http://127.0.0.1:".count).prefix { $0.isNumber }
        http = PlainHTTP(port: try #require(UInt16(port)))
        let body = "{\"token\":\"\(parts[1])\",\"browser\":\"a test\"}"
        let answer = try http.ask("POST", "/api/login", body: Array(body.utf8))
        #expect(answer.status == 200)
        let set = try #require(answer.header("Set-Cookie"))
        #expect(set.contains("HttpOnly") && set.contains("SameSite=Strict"))
        cookie = String(set.prefix { $0 != ";" })
        guard case .object(let object) = try JSONValue.parsed(answer.body),
          case .string(let key)? = object["key"]
        else { throw NeverHappened(description: answer.text) }
        self.key = key
        // The token was good once.
        #expect(try http.ask("POST", "/api/login", body: Array(body.utf8)).status == 403)
      }

      func status(_ method: String, _ path: String, _ more: [String] = []) throws -> Int {
        try http.ask(method, path, headers + more).status
      }
    }

    @Test func onlyItsOwnPagesAreAnswered() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try Files.write(host.path("file.txt"), "content")
        let visitor = try Visitor(fixture, host)
        let list = "/api/list?path=&from=0&count=9"
        #expect(try visitor.status("GET", list) == 200)
        // Without the key, without the cookie, with those of nobody.
        #expect(try visitor.http.ask("GET", list, ["Cookie: \(visitor.cookie)"]).status == 401)
        #expect(try visitor.http.ask("GET", list, ["X-Fsharefs-Key: \(visitor.key)"]).status == 401)
        #expect(try visitor.http.ask("GET", "/files/\(visitor.key)/file.txt").status == 401)
        // Another name for this address, and pages of other origins.
        #expect(try visitor.status("GET", list, ["Host: evil.example"]) == 421)
        let port = visitor.http.port
        #expect(try visitor.status("GET", list, ["Host: evil.example:\(port)"]) == 421)
        #expect(try visitor.status("GET", list, ["Origin: http://evil.example"]) == 403)
        #expect(try visitor.status("GET", list, ["Origin: http://127.0.0.1:1"]) == 403)
        #expect(try visitor.status("GET", list, ["Origin: null"]) == 403)
        #expect(try visitor.status("GET", list, ["Sec-Fetch-Site: cross-site"]) == 403)
        #expect(try visitor.status("GET", list, ["Sec-Fetch-Site: same-site"]) == 403)
        #expect(try visitor.status("DELETE", "/api/files/file.txt", ["Origin: http://a.b"]) == 403)
        #expect(try Files.text(host.path("file.txt")) == "content")
        for wrong in ["PATCH", "OPTIONS"] {
          #expect(try [403, 404, 405, 0].contains(visitor.status(wrong, list)))
        }
        let page = try visitor.http.ask("GET", "/")
        #expect(page.header("Content-Security-Policy")?.contains("default-src 'none'") == true)
        #expect(page.header("X-Content-Type-Options") == "nosniff")
        #expect(!page.text.contains("<script>") && !page.text.contains("onclick"))
      }
    }

    @Test func nothingBesideTheShareIsReached() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try Files.write(host.path("page.html"), "<script>alert(1)</script>")
        try fixture.shell("ln -s /etc/passwd \(host.own)/leak; ln -s ../../etc \(host.own)/up")
          .succeeded()
        let visitor = try Visitor(fixture, host)
        for path in [
          "../../etc/passwd", "..%2f..%2fetc/passwd", "leak", "up/passwd", "%00", "a/../b",
        ] {
          let status = try visitor.status("GET", "/files/\(visitor.key)/\(path)")
          #expect(status != 200 && status != 206, "\(path)")
        }
        // What could run is not shown.
        let html = try visitor.http.ask(
          "GET", "/files/\(visitor.key)/page.html", visitor.headers)
        #expect(html.status == 200)
        #expect(html.header("Content-Type") == "application/octet-stream")
        #expect(html.header("Content-Disposition")?.hasPrefix("attachment") == true)
        #expect(html.header("Content-Security-Policy")?.contains("sandbox") == true)
        // The control socket is not there to be left by.
        let leave = "{\"command\":\"leave-now\"}"
        let answer = try visitor.http.ask(
          "POST", "/api/control", visitor.headers, body: Array(leave.utf8))
        #expect(answer.status == 400)
        #expect(MountPoint.isLive(host.mount))
      }
    }

    @Test func filesComeAndGoWhole() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let other = try fixture.member("other", of: hub, approvedBy: host)
        let visitor = try Visitor(fixture, host)
        let content = Samples.bytes(3_000_000)
        func put(_ path: String, _ body: [UInt8]) throws -> PlainHTTP.Answer {
          try visitor.http.ask("PUT", "/api/files/\(path)", visitor.headers, body: body)
        }
        #expect(try put("new/odd%20%3F%23name", content).status == 201)
        try eventually("the other has it") {
          try Files.read(other.path("new/odd ?#name")) == content
        }
        #expect(try put("new/odd%20%3F%23name", [1]).status == 409)
        #expect(try put("new/odd%20%3F%23name?replace", [1, 2]).status == 201)
        try eventually("the other has the new one") {
          try Files.read(other.path("new/odd ?#name")) == [1, 2]
        }
        #expect(try put("empty", []).status == 201)
        // Others' files are read, a part of them too, and not taken back.
        try Files.write(other.path("theirs.bin"), content)
        try fixture.waitFor(host.path("theirs.bin"))
        let path = "/files/\(visitor.key)/theirs.bin"
        #expect(try visitor.http.ask("GET", path, visitor.headers).body == content)
        let part = try visitor.http.ask(
          "GET", path, visitor.headers + ["Range: bytes=1000000-1000099"])
        #expect(part.status == 206 && part.body == Array(content[1_000_000..<1_000_100]))
        #expect(part.header("Content-Range") == "bytes 1000000-1000099/3000000")
        #expect(try visitor.status("GET", path, ["Range: bytes=3000000-"]) == 416)
        #expect(try visitor.status("DELETE", "/api/files/theirs.bin") == 403)
        #expect(try visitor.status("DELETE", "/api/files/new") == 200)
        try fixture.waitForAbsence(other.path("new"))
      }
    }

    @Test func aFolderIsDownloadedAsAZipArchive() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try fixture.shell("mkdir -p \(host.mount)/top/below").succeeded()
        try Files.write(host.path("top/below/é.txt"), "deep")
        try Files.write(host.path("top/large"), Samples.bytes(2_500_000))
        let visitor = try Visitor(fixture, host)
        let answer = try visitor.http.ask("GET", "/zip/\(visitor.key)/top", visitor.headers)
        #expect(answer.status == 200)
        let (encoded, decoded) = (fixture.newPath("encoded"), fixture.newPath("archive"))
        try Files.write(encoded, answer.body)
        // As RFC 9112, 7.1 has it.
        try fixture.run(
          "python3", "-c",
          """
          import sys, zipfile
          data = open(sys.argv[1], 'rb').read(); out = b''
          while True:
              line, data = data.split(b'\\r\\n', 1)
              size = int(line, 16)
              if size == 0: break
              out += data[:size]; data = data[size + 2:]
          open(sys.argv[2], 'wb').write(out)
          archive = zipfile.ZipFile(sys.argv[2])
          assert archive.testzip() is None
          assert archive.read('top/below/é.txt') == b'deep', archive.namelist()
          assert archive.read('top/large') == open(sys.argv[3], 'rb').read()
          """, encoded, decoded, host.path("top/large")
        ).succeeded()
      }
    }

    /// It is another process, which goes with its fsharefs, and comes back when it is asked for.
    @Test func itGoesAndComesWithItsMount() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let visitor = try Visitor(fixture, host)
        let windows = Watchdog.processes(naming: fixture.folder).filter { $0 != host.process.pid }
        let window = try #require(windows.first)
        #expect(kill(window, SIGKILL) == 0)
        try eventually("it is started again, at the same port") {
          _ = try fixture.windowAddress(of: host)
          return try visitor.status("GET", "/api/list?path=&from=0&count=1") == 200
        }
        #expect(MountPoint.isLive(host.mount))
        let again = Watchdog.processes(naming: fixture.folder).filter { $0 != host.process.pid }
        #expect(try host.leave() == .exit(0))
        try eventually("the window is gone too") { again.allSatisfy { kill($0, 0) != 0 } }
      }
    }
  }
}
