import Protocol
import Sealing
import Testing

/// The group key reaches the device it is for, from the master, and nobody else.
struct KeyWrappingTests {
  private let master = DeviceIdentity()
  private let device = DeviceIdentity()
  private let key = GroupKey(newGeneration: 3)

  private func wrapped() throws -> GroupKeyMessage {
    try #require(KeyWrapping.wrap(key, for: PublicID(2), device: device.key, by: master))
  }

  @Test func `the device it is for has the key`() throws {
    let got = try #require(KeyWrapping.unwrap(wrapped(), by: device, from: master.key))
    #expect(got.generation == 3 && got.secretBytes == key.secretBytes)
  }

  @Test func `the wrapping fits its message and does not show the secret`() throws {
    let message = try wrapped()
    #expect(message.wrapped.count <= GroupKeyMessage.wrappedLimit)
    let places = message.wrapped.indices.dropLast(8).filter {
      message.wrapped[$0..<($0 + 8)].elementsEqual(key.secretBytes[..<8])
    }
    #expect(places.isEmpty)
  }

  @Test func `another device cannot open it`() throws {
    #expect(KeyWrapping.unwrap(try wrapped(), by: DeviceIdentity(), from: master.key) == nil)
  }

  @Test func `nobody else can make one in the master's name`() throws {
    let forged = try #require(
      KeyWrapping.wrap(key, for: PublicID(2), device: device.key, by: DeviceIdentity()))
    #expect(KeyWrapping.unwrap(forged, by: device, from: master.key) == nil)
  }

  @Test func `number, generation and bytes cannot be changed`() throws {
    let message = try wrapped()
    var bytes = message.wrapped
    bytes[bytes.count - 1] ^= 1
    let forged = [
      GroupKeyMessage(publicID: PublicID(3), generation: 3, wrapped: message.wrapped),
      GroupKeyMessage(publicID: PublicID(2), generation: 4, wrapped: message.wrapped),
      GroupKeyMessage(publicID: PublicID(2), generation: 3, wrapped: bytes),
      GroupKeyMessage(publicID: PublicID(2), generation: 3, wrapped: []),
      GroupKeyMessage(publicID: PublicID(2), generation: 3, wrapped: Array(bytes[..<32])),
    ]
    for one in forged { #expect(KeyWrapping.unwrap(one, by: device, from: master.key) == nil) }
  }

  @Test func `a key of low order is no device's`() {
    let weak = DeviceKey(signing: device.key.signing, agreement: [UInt8](repeating: 0, count: 32))
    #expect(KeyWrapping.wrap(key, for: PublicID(2), device: weak, by: master) == nil)
  }
}
