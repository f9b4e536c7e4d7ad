import Core
import Protocol
import Runtime
import Sealing
import Testing
import Transport

/// What a start says, and what ends it.
struct StartGateTests {
  private let gate = StartGate()
  private let words = KeyWords(
    DeviceKey(signing: Array(0..<32), agreement: Array(32..<64)))

  @Test func `a client that waits says its words, and what the master is to type`() {
    #expect(
      hear(.phase(.waiting, PublicID(3))) == "waiting for approval: this device is client 3, its "
        + "words: \(words); on the master run: fsharectl approve 3 --words \"\(words)\"")
    // Said once.
    #expect(hear(.phase(.waiting, PublicID(3))) == nil)
  }

  @Test func `that another process was ended is said`() {
    #expect(
      hear(.displacedAnother)
        == "another process with this device's private id was running; it has been ended")
    #expect(gate.ending == nil)
  }

  @Test func `the first contact shows what is remembered`() throws {
    let both = try #require(hear(.firstContact(hub: fingerprint(1), master: fingerprint(2))))
    #expect(both.contains("\(fingerprint(1))") && both.contains("\(fingerprint(2))"))
    #expect(both.contains("first contact") && both.contains("remembered"))
    #expect(hear(.firstContact(hub: nil, master: fingerprint(2)))?.contains("hub") == false)
    #expect(hear(.firstContact(hub: nil, master: nil)) == nil)
  }

  @Test(arguments: [true, false]) func `a key that changed ends the program`(waits: Bool) {
    for event in [GroupEvent.phase(.live, PublicID(1)), .ready] {
      _ = gate.heard(event, waits: waits, words: words)
    }
    let failure = TrustFailure.hub(
      seen: fingerprint(1), remembered: fingerprint(2), file: "/state/group")
    #expect(gate.heard(.untrusted(failure.ending), waits: waits, words: words) == nil)
    #expect(gate.isEnding)
    #expect(gate.ending?.code == .untrusted)
  }

  @Test func `a key that changed is told with both fingerprints and what to do`() {
    for (failure, line) in [
      (TrustFailure.hub(seen: fingerprint(1), remembered: fingerprint(2), file: "/f"), "pin"),
      (.master(seen: fingerprint(1), remembered: fingerprint(2), file: "/f"), "master"),
    ] {
      let ending = failure.ending
      #expect(ending.code == .untrusted && ending.code.rawValue == 78)
      #expect(ending.text.contains("seen \(fingerprint(1))"))
      #expect(ending.text.contains("remembered \(fingerprint(2))"))
      #expect(ending.text.contains("type: sed -i '/^fsharefs /d;/^\(line) /d' /f;"))
    }
  }

  private func hear(_ event: GroupEvent) -> String? {
    gate.heard(event, waits: true, words: words)
  }
}
