import Testing
import Transport

@Suite("The start of a TLS connection")
struct TransportClientHelloTests {
  @Test("names the protocols that are offered")
  func protocols() {
    let names = ["fsharefs-bulk", "h2", "http/1.1"]
    #expect(
      ClientHello(record: clientHello(protocols: names))?.protocols == names.map { Array($0.utf8) })
    #expect(ClientHello(record: clientHello())?.protocols == [])
  }

  @Test("is nothing when it is cut anywhere, or goes on")
  func cut() {
    let whole = clientHello(protocols: ["fsharefs-bulk"])
    for count in 0..<whole.count { #expect(ClientHello(record: Array(whole.prefix(count))) == nil) }
    #expect(ClientHello(record: whole + [0]) == nil)
    // Cut, but with a record length that fits: the lengths inside are what is wrong.
    for count in 9..<whole.count {
      var part = Array(whole.prefix(count))
      part[3] = UInt8((count - 5) >> 8)
      part[4] = UInt8((count - 5) & 255)
      #expect(ClientHello(record: part) == nil)
    }
  }

  @Test("never leads out of its bytes, whatever they are")
  func hostile() {
    let whole = clientHello(protocols: ["fsharefs-bulk", "h2"])
    for index in whole.indices {
      for value in [0, 1, 0x7f, 0x80, 0xff, whole[index] &+ 1, whole[index] &- 1] as [UInt8] {
        var changed = whole
        changed[index] = value
        let hello = ClientHello(record: changed)
        #expect(hello == nil || hello!.protocols.allSatisfy { !$0.isEmpty })
      }
    }
    for seed in 0..<500 {
      let noise = pattern(44 + seed, seed: seed)
      let head: [UInt8] = [0x16, 3, 1, UInt8(noise.count >> 8), UInt8(noise.count & 255)]
      #expect(ClientHello(record: head + noise)?.protocols.isEmpty != false)
    }
  }

  @Test(
    "with two lists of protocols, an empty one or an empty name is refused",
    arguments: [
      [0, 16, 0, 5, 0, 3, 2, 0x68, 0x32], [0, 16, 0, 2, 0, 0], [0, 16, 0, 3, 0, 1, 0],
      [0, 16, 0, 4, 0, 1, 1, 0x68], [0, 16, 0xff, 0xff],
    ] as [[UInt8]])
  func badLists(_ field: [UInt8]) {
    #expect(ClientHello(record: clientHello(protocols: ["h2"], extra: field)) == nil)
  }
}
