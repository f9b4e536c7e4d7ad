import Protocol
import Sealing
import Testing

/// The claim code is shown to nobody.
struct ClaimProofTests {
  private let code = Array("0123456789ABCDEFGHJKMNPQ".utf8)
  private let challenge = [UInt8](repeating: 7, count: 32)
  private let channel = [UInt8](repeating: 8, count: 32)
  private let key = DeviceIdentity().key

  private var proof: [UInt8] {
    ClaimProof.make(code: code, challenge: challenge, channel: channel, key: key)
  }

  private func holds(
    _ claim: [UInt8], code: [UInt8]? = nil, challenge: [UInt8]? = nil, channel: [UInt8]? = nil,
    key: DeviceKey? = nil
  ) -> Bool {
    ClaimProof.holds(
      claim, code: code ?? self.code, challenge: challenge ?? self.challenge,
      channel: channel ?? self.channel, key: key ?? self.key)
  }

  @Test func `the proof holds and fits a registration`() {
    #expect(holds(proof))
    #expect(proof.count == Register.claimLimit)
  }

  /// A hub that met the master cannot pass the proof on: another hub has another key and challenge.
  @Test func `the proof holds for one code, challenge, channel and key only`() {
    #expect(!holds(proof, code: Array("0123456789ABCDEFGHJKMNPR".utf8)))
    #expect(!holds(proof, challenge: [UInt8](repeating: 9, count: 32)))
    #expect(!holds(proof, channel: []))
    #expect(!holds(proof, channel: [UInt8](repeating: 9, count: 32)))
    #expect(!holds(proof, key: DeviceIdentity().key))
    let half = DeviceKey(signing: key.signing, agreement: DeviceIdentity().key.agreement)
    #expect(!holds(proof, key: half))
  }

  @Test func `neither the code itself nor a part of the proof will do`() {
    #expect(!holds(code) && !holds([]))
    #expect(!holds(Array(proof.dropLast())) && !holds(proof + [0]))
    var changed = proof
    changed[31] ^= 1
    #expect(!holds(changed))
  }
}
