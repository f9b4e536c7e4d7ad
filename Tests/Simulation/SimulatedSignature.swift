package import Core
package import Protocol

/// In the place of Ed25519: what nobody in the simulation makes who does not call this.
package enum SimulatedSignature {
  private static let secret: [UInt8] = Array("the master's alone".utf8)

  package static let sign: @Sendable ([UInt8]) -> [UInt8] = { bytes in
    SimulatedHash.hash(secret + bytes).bytes + SimulatedHash.hash(bytes + secret).bytes
  }

  package static func holds(_ head: HeadProof) -> Bool { head.signature == sign(head.signedBytes) }

  package static let signer = MasterSigner(sign: sign, holds: { sign($0) == $1 })
}
