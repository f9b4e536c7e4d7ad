import Glibc

/// Paths of the system are bytes; as text they pass through arguments, requests and lines for
/// people. Bytes that are not UTF-8 are said there by scalars of the last private-use plane, one
/// each, as Python's `surrogateescape` does with surrogates, which Swift's text cannot have. So
/// every path has a text, and every text of a path its bytes. Two such texts are never compared as
/// text: Swift takes canonical equivalents for equal, the disk does not.
package enum PathText {
  /// What stands for byte 0; those for 0x80...0xFF are in use.
  private static let base: UInt32 = 0x10_EE00

  /// The byte that a scalar stands for; nil where it stands for itself.
  package static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    guard scalar.value >= base + 0x80, scalar.value <= base + 0xFF else { return nil }
    return UInt8(truncatingIfNeeded: scalar.value)
  }

  /// How a byte is shown to people: `\xE9`.
  package static func shown(_ byte: UInt8) -> String {
    (byte < 0x10 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: true)
  }

  /// Requires: at least 0x80.
  fileprivate static func scalar(for byte: UInt8) -> Unicode.Scalar {
    guard let scalar = Unicode.Scalar(base + UInt32(byte)) else {
      preconditionFailure("scalars of the private-use plane are valid")
    }
    return scalar
  }
}

extension String {
  /// The text of a path's bytes.
  package init(pathBytes bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    // Nearly every path is this one.
    if let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { PathText.byte(of: $0) != nil })
    {
      self = text
      return
    }
    self.init()
    var decoder = UTF8()
    var index = 0
    while index < bytes.count {
      var rest = bytes[index...].makeIterator()
      guard case .scalarValue(let scalar) = decoder.decode(&rest),
        PathText.byte(of: scalar) == nil
      else {
        // Also the first byte of a scalar that would be taken for one of ours.
        unicodeScalars.append(PathText.scalar(for: bytes[index]))
        index += 1
        decoder = UTF8()
        continue
      }
      unicodeScalars.append(scalar)
      index += UTF8.width(scalar)
      decoder = UTF8()
    }
  }

  /// The text of a path that C gave, which is copied. Requires: terminated.
  package init(path: UnsafePointer<CChar>) {
    // SAFETY: `strlen` bytes can be read, and are before this returns.
    self.init(pathBytes: UnsafeRawBufferPointer(start: path, count: strlen(path)))
  }

  /// The bytes of the path that this is the text of.
  package var pathBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count)
    for scalar in unicodeScalars {
      if let byte = PathText.byte(of: scalar) {
        bytes.append(byte)
      } else {
        bytes.append(contentsOf: String(scalar).utf8)
      }
    }
    return bytes
  }

  /// The path that this is the text of, for the system's calls. A zero byte ends it.
  package var cPath: [CChar] { pathBytes.map { CChar(bitPattern: $0) } + [0] }
}

/// What the process was started with, each word as `PathText` says it.
package enum Arguments {
  /// The name by which the program was called.
  package static var program: String {
    // SAFETY: as below; a program may be called without any word.
    guard CommandLine.argc > 0, let name = CommandLine.unsafeArgv[0] else { return "" }
    return String(path: name)
  }

  /// The words behind the program's name.
  package static var all: [String] {
    let words = UnsafeBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    // SAFETY: the words of `main`, which nobody changes, each of them terminated.
    return words.dropFirst().compactMap { $0.map { String(path: $0) } }
  }
}
