import Crypto
package import Protocol

/// The records of a kept list: `12 bytes nonce ‖ AES-128-GCM ciphertext ‖ 16 bytes tag`, under a
/// key derived from a secret of this device for each file. A record's place in the file is
/// associated data: what was changed, moved, or is of another file, does not open. Any thread.
package struct ListSeal: Sendable {
  /// Bytes of the secret.
  package static let secretLength = 32
  /// Bytes that the seal adds.
  package static let overhead = SealCipher.overhead

  private let key: SymmetricKey
  private let file: RandomID

  /// For the file named `file`. nil where `secret` has not its length.
  package init?(secret: [UInt8], file: RandomID) {
    guard secret.count == Self.secretLength else { return nil }
    var info = ByteWriter(reserving: 64)
    info.put("fsharefs list 1")
    info.put(file)
    key = HKDF<SHA256>.expand(
      pseudoRandomKey: SymmetricKey(data: secret), info: info.bytes, outputByteCount: 16)
    self.file = file
  }

  /// The record at a place, as it goes to the disk. Complexity: O(bytes).
  package func seal(_ record: [UInt8], at place: UInt64) -> [UInt8] {
    SealCipher.sealed(record, under: key, boundTo: bound(place))
  }

  /// Opens what lay on the disk. nil unless it is what `seal` made for this very place. Complexity:
  /// O(bytes).
  package func open(_ sealed: [UInt8], at place: UInt64) -> [UInt8]? {
    SealCipher.opened(sealed, under: key, boundTo: bound(place))
  }

  private func bound(_ place: UInt64) -> [UInt8] {
    var writer = ByteWriter(reserving: 24)
    writer.put(file)
    writer.put(place)
    return writer.bytes
  }
}
