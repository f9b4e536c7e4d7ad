import System

/// A path in the words of a request: as it was typed, and as an absolute path. All as `PathText`
/// says them.
enum PathWords {
  /// The second word is left out where the folder that is meant does not exist.
  static func of(_ typed: String) -> [String] {
    let bytes = typed.pathBytes
    guard let name = name(in: bytes) else {
      return [typed] + (File.resolved(typed).map { [$0] } ?? [])
    }
    // Only the folder: the last part may be a link, and is meant itself.
    guard let folder = File.resolved(String(pathBytes: File.folder(of: bytes))) else {
      return [typed]
    }
    return [typed, String(pathBytes: folder.pathBytes + [slash] + name)]
  }

  /// The last part of a path; where that is no name, the last part of what it leads to.
  static func name(of typed: String, _ real: String) -> String {
    if let name = name(in: typed.pathBytes) { return String(pathBytes: name) }
    return real.pathBytes.split(separator: slash).last.map { String(pathBytes: $0) } ?? real
  }

  private static let slash = UInt8(ascii: "/")

  /// The last part of a path, where that is a name.
  private static func name(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let dot = UInt8(ascii: ".")
    guard let name = bytes.split(separator: slash).last, name != [dot], name != [dot, dot] else {
      return nil
    }
    return name
  }
}
