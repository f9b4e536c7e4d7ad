import CQRCode

/// QR codes, by libqrencode.
package enum QRCode {
  /// The dark modules of the smallest code for a text, row by row; nil where it is too long for
  /// one.
  package static func modules(of text: String) -> [[Bool]]? {
    let bytes = Array(text.utf8)
    // The weakest correction: a screen has no stains, and the code stays small.
    guard let code = QRcode_encodeData(Int32(bytes.count), bytes, 0, QR_ECLEVEL_L) else {
      return nil
    }
    defer { QRcode_free(code) }
    let width = Int(code.pointee.width)
    // SAFETY: the library gives width * width bytes, copied before they are freed; bit 0 means
    // dark.
    let data = UnsafeBufferPointer(start: code.pointee.data, count: width * width)
    return (0..<width).map { row in data[(row * width)..<((row + 1) * width)].map { $0 & 1 == 1 } }
  }
}
