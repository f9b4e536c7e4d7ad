package import Protocol
package import Sealing
import System

/// The small files of a state folder that only its owner may read.
package enum SmallFile {
  /// The content of a file; nil where there is none.
  package static func bytes(_ kind: StateKind, _ path: String) throws(StateFault) -> [UInt8]? {
    let body: [UInt8]
    switch try StateFile.whole(kind, path) {
    case nil: return nil
    case .body(let bytes), .older(let bytes): body = bytes
    }
    // Nobody else can change the folder, so what is checked is what was read.
    try Privacy.check(file: path)
    return body
  }

  /// The same as text.
  package static func text(_ kind: StateKind, _ path: String) throws(StateFault) -> String? {
    guard let body = try bytes(kind, path) else { return nil }
    guard let text = String(validating: body, as: UTF8.self) else {
      throw .damaged(kind, path, "it is not UTF-8")
    }
    return text
  }

  /// The private id.
  package static func key(_ path: String) throws(StateFault) -> DeviceIdentity? {
    guard let bytes = try bytes(.key, path) else { return nil }
    guard let identity = DeviceIdentity(serialized: bytes) else {
      throw .damaged(.key, path, "it is no private id")
    }
    return identity
  }

  /// This device's name.
  package static func name(_ path: String) throws(StateFault) -> DeviceName? {
    guard let text = try text(.name, path) else { return nil }
    guard let name = DeviceName(text) else { throw .damaged(.name, path, "it is no name") }
    return name
  }

  /// The number of the last run.
  package static func incarnation(_ path: String) throws(StateFault) -> Incarnation? {
    guard let text = try text(.incarnation, path) else { return nil }
    guard let last = Incarnation(text) else {
      throw .damaged(.incarnation, path, "it is no number")
    }
    return last
  }

  /// A key of `length` bytes that is a secret of this device.
  package static func secret(
    _ kind: StateKind, _ length: Int, _ path: String
  ) throws(StateFault) -> [UInt8]? {
    guard let bytes = try bytes(kind, path) else { return nil }
    guard bytes.count == length else { throw .damaged(kind, path, "it is no key") }
    return bytes
  }
}
