import CLinux
import Glibc
import System
import Testing

/// What the machine is asked about itself and its user.
struct HostTests {
  @Test(arguments: ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost", "::ffff:127.0.0.1"])
  func `these hosts are this machine`(host: String) { #expect(Loopback.contains(host)) }

  @Test(arguments: [
    "", "128.0.0.1", "0.0.0.0", "::", "localhost.example.org", "127.0.0.1.example.org",
    "::ffff:192.0.2.1", "::2", "127.1 ", "192.0.2.127",
  ])
  func `these hosts are not`(host: String) { #expect(!Loopback.contains(host)) }

  @Test func `no address that others are told is one's own loopback`() throws {
    for address in try InterfaceAddresses.reachable() {
      #expect(!Loopback.contains(address))
      #expect(!address.hasPrefix("fe80:") && !address.contains("%"))
    }
  }

  @Test func `a date is shown to the minute`() {
    #expect(LocalTime.text(1_763_700_000).firstMatch(of: /^2025-11-2\d \d\d:\d\d$/) != nil)
    #expect(LocalTime.text(.max) == "" && LocalTime.text(.min) == "")
  }

  @Test(arguments: [
    ("abcd-1234\n", "abcd-1234"), ("  two words \n", "two words"), ("abx\u{7F}c\n", "abc"),
    ("wrong\u{15}right\r", "right"), ("\u{4}", ""), ("a\u{4}b\n", "ab"), ("\n", ""),
  ])
  func `a secret is read with the keys for editing`(typed: String, read: String) throws {
    #expect(try ask(typed).answer == Array(read.utf8))
  }

  @Test(arguments: ["abc\u{3}", "\u{1C}"]) func `a question can be given up`(typed: String) throws {
    #expect(try ask(typed).answer == nil)
  }

  @Test func `a secret is not shown, and the terminal is as it was`() throws {
    let terminal = try PseudoTerminal()
    let before = try terminal.flags
    let (_, shown) = try ask("secret\n", terminal)
    #expect(shown == "code: \r\n")
    #expect(try terminal.flags == before)
  }

  @Test func `what is no terminal is not asked`() {
    #expect(throws: SystemError.self) { try SecretPrompt.ask("?", input: -1, output: -1) }
  }

  /// Types at a terminal once it asks.
  private func ask(_ typed: String, _ given: PseudoTerminal? = nil) throws -> (
    answer: [UInt8]?, shown: String
  ) {
    let terminal = try given ?? PseudoTerminal()
    let answer = Locked<Result<[UInt8]?, SystemError>?>(nil)
    let asker = try Thread.start(name: "asker") {
      let result = Result { () throws(SystemError) in
        try SecretPrompt.ask("code: ", input: terminal.user.raw, output: terminal.user.raw)
      }
      answer.withLock { $0 = result }
    }
    // The prompt comes after the echo was put out.
    var shown = try terminal.shown(until: "code: ")
    try File.writeAll(Array(typed.utf8), to: terminal.screen.raw, "terminal")
    asker.join()
    shown += try terminal.shown(until: "\n")
    return (try #require(answer.withLock { $0 }).get(), shown)
  }
}

/// Two ends of a terminal that nobody sits at.
private final class PseudoTerminal: Sendable {
  /// Where keys are pressed and what is shown appears.
  let screen: OwnedDescriptor
  /// The program's end.
  let user: OwnedDescriptor

  init() throws(SystemError) {
    let screen = try retryingOnInterrupt("open a terminal") {
      posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
    }
    self.screen = OwnedDescriptor(screen)
    try retryingOnInterrupt("unlock a terminal") { unlockpt(screen) }
    var name = [CChar](repeating: 0, count: 128)
    guard ptsname_r(screen, &name, name.count) == 0 else { throw SystemError("name a terminal") }
    user = OwnedDescriptor(
      try retryingOnInterrupt("open a terminal's other end") {
        open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
      })
  }

  var flags: tcflag_t {
    get throws(SystemError) {
      var settings = termios()
      try retryingOnInterrupt("tcgetattr") { tcgetattr(user.raw, &settings) }
      return settings.c_lflag
    }
  }

  func shown(until end: String) throws(SystemError) -> String {
    var text = ""
    while !text.utf8.reversed().starts(with: end.utf8.reversed()) {
      var byte: UInt8 = 0
      try retryingOnInterrupt("read a terminal") { read(screen.raw, &byte, 1) }
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return text
  }
}
