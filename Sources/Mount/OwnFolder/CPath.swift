extension [UInt8] {
  /// As a C string. Requires: no zero byte.
  var cPath: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}
