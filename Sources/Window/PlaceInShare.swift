import Protocol
import System

/// The top of the share, or something in it, below a folder of the machine under which it is seen.
struct PlaceInShare: Sendable {
  /// nil: the top.
  let path: SharePath?

  /// From the bytes of a path without a leading slash; nil where it is none: nothing leads out of
  /// the share.
  init?(_ bytes: [UInt8]) {
    var bytes = bytes[...]
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard !bytes.isEmpty else {
      path = nil
      return
    }
    guard let path = try? SharePath(Array(bytes)) else { return nil }
    self.path = path
  }

  /// Where programs find it. `mountpoint`: absolute.
  func absolute(_ mountpoint: String) -> String {
    path.map { mountpoint + "/" + String(pathBytes: $0.bytes) } ?? mountpoint
  }

  var bytes: [UInt8] { path?.bytes ?? [] }

  /// Something below it; nil where the name is none.
  func below(_ rest: [UInt8]) -> PlaceInShare? {
    guard !rest.isEmpty else { return self }
    return PlaceInShare(bytes.isEmpty ? rest : bytes + [UInt8(ascii: "/")] + rest)
  }

  /// Its last part; of the top nothing.
  var name: [UInt8] { Array(bytes.split(separator: UInt8(ascii: "/")).last ?? []) }

  /// As it stands in an address.
  var encoded: String {
    bytes.split(separator: UInt8(ascii: "/")).map { PercentEncoding.text($0) }
      .joined(separator: "/")
  }
}
