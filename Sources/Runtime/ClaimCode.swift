import Glibc
import Protocol
import Sealing
import System

/// A hub's one-time claim code: who gives it becomes the master of a hub that has none. It lies in the hub's
/// state folder until then, and nowhere else: never in a log, an argument or the environment.
package struct ClaimCode: Equatable, Sendable, CustomStringConvertible {
  /// Douglas Crockford's base32: no letter is taken for a digit.
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
  /// Digits of a code: 120 bits, beyond any guessing.
  private static let length = 24

  private let digits: [UInt8]

  /// A new one.
  init() {
    digits = SecureRandom.bytes(Self.length).map { Self.alphabet[Int($0 & 31)] }
  }

  /// nil where `text` is not a code; case, spaces, dashes and look-alikes do not matter.
  init?(_ text: [UInt8]) {
    var digits: [UInt8] = []
    for byte in text where !Array(" -\t\r\n".utf8).contains(byte) {
      guard let digit = Self.digit(byte), digits.count < Self.length else { return nil }
      digits.append(digit)
    }
    guard digits.count == Self.length else { return nil }
    self.digits = digits
  }

  /// In groups of four.
  package var description: String {
    stride(from: 0, to: digits.count, by: 4)
      .map { String(decoding: digits[$0..<min($0 + 4, digits.count)], as: UTF8.self) }
      .joined(separator: "-")
  }

  /// What a registration with `key` shows instead of the code, which only the right hub may learn.
  func proof(challenge: [UInt8], channel: [UInt8], key: DeviceKey) -> [UInt8] {
    ClaimProof.make(code: digits, challenge: challenge, channel: channel, key: key)
  }

  /// Whether the sender of a registration has this code.
  func isProved(by register: Register, challenge: [UInt8], channel: [UInt8]) -> Bool {
    ClaimProof.holds(
      register.claim, code: digits, challenge: challenge, channel: channel, key: register.key)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    let upper = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte
    switch upper {
    case UInt8(ascii: "O"): return UInt8(ascii: "0")
    case UInt8(ascii: "I"), UInt8(ascii: "L"): return UInt8(ascii: "1")
    default: return alphabet.contains(upper) ? upper : nil
    }
  }
}

// MARK: - In the hub's state folder

extension ClaimCode {
  private static func path(in folder: String) -> String { folder + "/claim-code" }

  /// The code of a hub without a master; made, for its owner's eyes only, where there is none yet.
  /// Throws: an ending with code 73.
  static func loadOrMake(in folder: String) throws(Ending) -> ClaimCode {
    try Privacy.check(ifThere: path(in: folder))
    if let kept = try load(folder) { return kept }
    let made = ClaimCode()
    do throws(SystemError) {
      try File.writeAtomically(path(in: folder), Array("\(made)\n".utf8), mode: 0o600)
    } catch { throw Ending(.folder, "\(error)") }
    return made
  }

  /// The hub has a master: the code is good for nothing any more. One that is not there is fine.
  static func discard(in folder: String) throws(SystemError) {
    let path = path(in: folder)
    guard unlink(path.cPath) != 0, errno != ENOENT else { return }
    throw SystemError("remove \(path)")
  }

  /// What `fshare-hub claim-code` shows; the hub may run meanwhile. Throws: an ending with code 1 where the hub
  /// has a master, 73 where there is no hub in that folder.
  package static func show(in folder: String) throws(Ending) -> ClaimCode {
    let known: HubRegistry.Content?
    do throws(SystemError) { known = try HubRegistry.read(HubRegistry.path(in: folder)) } catch {
      throw Ending(.folder, "\(error)")
    }
    guard let known else {
      throw Ending(.folder, "no hub was started with the state folder \(folder)")
    }
    if known.master != nil { throw Ending(.failure, "the hub has a master already") }
    guard let code = try load(folder) else {
      throw Ending(.folder, "there is no claim code in \(folder): start the hub again")
    }
    return code
  }

  private static func load(_ folder: String) throws(Ending) -> ClaimCode? {
    let path = path(in: folder)
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try File.readAll(path, limit: 4_096) } catch {
      if error.code == ENOENT { return nil }
      throw Ending(.folder, "\(error)")
    }
    guard let code = ClaimCode(bytes) else {
      throw Ending(.folder, "\(path) holds no claim code: remove it, and the hub makes another")
    }
    return code
  }
}
