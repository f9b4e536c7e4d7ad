/// A name that a person gave a device: 1 to 64 bytes of UTF-8 without control characters or `/`.
package struct DeviceName: Hashable, Sendable, CustomStringConvertible {
  package let text: String

  /// nil where `text` cannot be a device name.
  package init?(_ text: String) {
    guard (1...Limits.deviceName).contains(text.utf8.count), text != ".", text != ".." else {
      return nil
    }
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .format: return nil
      default: if scalar == "/" { return nil }
      }
    }
    self.text = text
  }

  package var description: String { text }
}

extension ByteReader {
  mutating func deviceName() throws(DecodingFault) -> DeviceName {
    guard let name = DeviceName(try string(atMost: Limits.deviceName)) else {
      throw .invalid("device name")
    }
    return name
  }
}
