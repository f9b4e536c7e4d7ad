import Control
import Glibc
import System
import Testing

extension Commands {
  /// The page, in a real browser.
  @Suite struct Window {
    @Test func somebodyIsLetInThroughTwoPages() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let one = try Browser(fixture)
        try one.go(to: try fixture.windowAddress(of: host))
        try one.waits(for: "the page is live", "document.body.innerText.includes('live')")
        let guest = try fixture.waitingMember("<b>guest", of: hub)
        let other = try Browser(fixture)
        try other.go(to: try fixture.windowAddress(of: guest))
        let words = try guest.status().words.split(separator: " ")
        for word in words {
          for page in [one, other] {
            try page.waits(
              for: "both show '\(word)'", "document.body.innerText.includes('\(word)')")
          }
        }
        // Names are text.
        try one.waits(for: "the name", "document.body.innerText.includes('<b>guest')")
        try one.click("[data-test=approve]")
        try guest.waits(for: .live)
        try other.waits(for: "it is told", "document.body.innerText.includes('Connected as')")
        try one.waits(
          for: "nobody waits any more",
          "!document.querySelector('[data-test=waiting] [data-test=approve]')")

        // What one leaves in his page, the other sees in his, and in his mount.
        let file = fixture.newPath("letter") + ".txt"
        try Files.write(file, "from page to page")
        try other.choose([file], in: "[data-test=upload]")
        let name = String(file.split(separator: "/").last!)
        try fixture.waitFor(host.path(name), "from page to page")
        try one.waits(
          for: "it is listed without reloading",
          "document.querySelector('[data-test=row][data-name=\"\(name)\"]')")
      }
    }

    @Test func hostileNamesAreShownAndNotRun() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let names = [
          "<img src=x onerror=\"window.hacked=1\">", "line\nbreak", "bidi\u{202E}txt.exe",
          String(repeating: "n", count: 255), "a\"b'c`d${1}", "percent%2Fslash?#&+;",
        ]
        for name in names { try Files.write(host.path(name), "content of it") }
        let browser = try Browser(fixture)
        try browser.go(to: try fixture.windowAddress(of: host))
        try browser.waits(
          for: "all are listed",
          "document.querySelectorAll('[data-test=row]').length == \(names.count)")
        #expect(try browser.run("return window.hacked === undefined") == .bool(true))
        #expect(
          try browser.run("return document.querySelector('[data-test=listing] img') === null")
            == .bool(true))
        // A name that turns text around does not.
        #expect(
          try browser.run("return document.body.innerText.includes('\\u202E')") == .bool(false))
      }
    }

    @Test func aHundredThousandNamesAreScrolled() throws {
      try withFixture { fixture in
        let own = try fixture.newFolder("own")
        try fixture.shell("mkdir \(own)/many && cd \(own)/many && seq -w 0 99999 | xargs touch")
          .succeeded()
        let (host, _) = try fixture.host(own: own)
        try host.lists(100_001)
        let browser = try Browser(fixture)
        try browser.go(to: try fixture.windowAddress(of: host))
        try browser.click("[data-test=row][data-name=many] [data-test=open]")
        try browser.waits(
          for: "the first is there",
          "document.querySelector('[data-test=row][data-name=\"00000\"]')")
        try browser.run(
          "const list = document.querySelector('[data-test=listing]'); list.scrollTop = list.scrollHeight"
        )
        try browser.waits(
          for: "the last is there", "document.querySelector('[data-test=row][data-name=\"99999\"]')"
        )
        #expect(
          try browser.run("return document.querySelectorAll('[data-test=row]').length < 500")
            == .bool(true))
      }
    }

    @Test func soundIsPlayedFromTheMiddle() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(guest.path("song.wav"), Self.sound(seconds: 120))
        try fixture.waitFor(host.path("song.wav"))
        let browser = try Browser(fixture)
        try browser.go(to: try fixture.windowAddress(of: host))
        try browser.click("[data-test=row][data-name=\"song.wav\"] [data-test=open]")
        try browser.waits(
          for: "its length is known", "document.querySelector('audio')?.duration > 119")
        try browser.run(
          "const player = document.querySelector('audio'); player.muted = true; "
            + "player.currentTime = 60; player.play()")
        try browser.waits(
          for: "it plays on from there", "document.querySelector('audio').currentTime > 60.2")
      }
    }

    @Test func readingIsPausedAndGoesOn() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host, ["-o", "down=200K"])
        try Files.write(host.path("long"), Samples.bytes(4_000_000))
        try fixture.waitFor(guest.path("long"))
        let reader = try RunningProcess(
          ["cat", guest.path("long")], output: "/dev/null", errors: "/dev/null")
        _ = fixture.watch(reader)
        let browser = try Browser(fixture)
        try browser.go(to: try fixture.windowAddress(of: guest))
        try browser.click("[data-test=nav-transfers]")
        try browser.click("[data-test=transfer] [data-test=pause]")
        try eventually("it is paused") { try !guest.status().paused.isEmpty }
        try browser.click("[data-test=transfer] [data-test=resume]")
        try eventually("it goes on") { try guest.status().paused.isEmpty }
        reader.kill(SIGTERM)
        _ = try reader.wait()
      }
    }

    /// Silence as a WAV file: 8,000 samples of 8 bits a second.
    private static func sound(seconds: Int) -> [UInt8] {
      let count = seconds * 8_000
      func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
      }
      var head = Array("RIFF".utf8) + number(36 + count, 4)
      head += Array("WAVEfmt ".utf8) + number(16, 4) + number(1, 2) + number(1, 2)
      head += number(8_000, 4) + number(8_000, 4) + number(1, 2) + number(8, 2)
      return head + Array("data".utf8) + number(count, 4) + [UInt8](repeating: 128, count: count)
    }
  }
}
