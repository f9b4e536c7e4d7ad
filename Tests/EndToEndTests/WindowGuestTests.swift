import Control
import Glibc
import System
import Testing

extension Commands {
  /// Links for people without fsharefs.
  @Suite struct WindowGuests {
    private static let options = ["--window-listen", "127.0.0.1:0"]

    @Test func aGuestReadsOnAPhoneWhatTheLinkIsFor() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host(Self.options)
        try fixture.shell("mkdir \(host.mount)/trip").succeeded()
        try Files.write(host.path("trip/day one.txt"), "sun")
        try Files.write(host.path("secret"), "nothing for guests")
        let phone = try Browser(fixture, width: 360, height: 740)
        try phone.go(to: try fixture.guestLink(host, host.path("trip")))
        try phone.waits(
          for: "the folder is listed", "document.body.innerText.includes('day one.txt')")
        #expect(
          try phone.run("return document.body.innerText.includes('secret')") == .bool(false))
        // The secret does not stay in the address, and nothing is wider than the phone.
        #expect(try phone.run("return location.hash.length < 2") == .bool(true))
        #expect(
          try phone.run("return document.documentElement.scrollWidth <= 360") == .bool(true))
        // It can be loaded again, until it is ended.
        try phone.run("location.reload()")
        try phone.waits(
          for: "the folder is listed", "document.body.innerText.includes('day one.txt')")
        let report = try fixture.control(host, "guests", "--json").succeeded()
        let guests = try JSONValue.parsed(report.output).decode(as: GuestsReport.self).guests
        let id = try #require(guests.first?.id)
        try fixture.control(host, "guests", "--end", id).succeeded()
        try phone.run("location.reload()")
        try phone.waits(
          for: "it is over", "!document.body.innerText.includes('day one.txt')")
      }
    }

    @Test func aGuestLeavesFiles() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(Self.options)
        let other = try fixture.member("other", of: hub, approvedBy: host)
        try fixture.shell("mkdir \(host.mount)/inbox").succeeded()
        let link = try fixture.guestLink(host, host.path("inbox"), "--drop", "--for", "1h")
        let file = fixture.newPath("picture") + ".jpg"
        try Files.write(file, "a picture")
        let name = String(file.split(separator: "/").last!)
        let phone = try Browser(fixture, width: 360, height: 740)
        try phone.go(to: link)
        try phone.choose([file], in: "[data-test=guest-file]")
        try phone.waits(for: "it says so", "document.querySelector('[data-test=guest-done]')")
        let id = link.split(separator: "#")[1].split(separator: ".")[0]
        try fixture.waitFor(other.path("inbox/guest-\(id)/\(name)"), "a picture")
      }
    }

    /// Links outlive the process, whose window comes up by itself where there are any.
    @Test func linksOutliveTheProcess() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host(Self.options)
        try Files.write(host.path("file"), "for long")
        let link = try fixture.guestLink(host, host.path("file"), "--for", "never")
        let port = link.dropFirst("https://127.0.0.1:".count).prefix { $0.isNumber }
        #expect(try host.leave() == .exit(0))
        try host.start(
          ["--host", "--listen", "127.0.0.1:0", "--window-listen", "127.0.0.1:\(port)"])
        try host.waits(for: .live)
        let browser = try Browser(fixture)
        try eventually("the page is there again") {
          try browser.go(to: link)
          return try browser.run("return document.body.innerText.includes('file')") == .bool(true)
        }
      }
    }

    @Test func withoutAPlaceForGuestsThereIsNone() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        try Files.write(host.path("file"), "x")
        let refused = try fixture.control(host, "guest", host.path("file"))
        #expect(refused.ending == .exit(1))
        #expect(refused.errors.contains("--window-listen"))
      }
    }
  }
}
