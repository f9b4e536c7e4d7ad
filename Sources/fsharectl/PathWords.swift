import Glibc
import System

/// A path in the words of a request: as it was typed, and as an absolute path.
enum PathWords {
  /// The second word is left out where the folder that is meant does not exist.
  static func of(_ typed: String) -> [String] {
    let name = typed.split(separator: "/").last ?? ""
    if name.isEmpty || name == "." || name == ".." {
      return [typed] + (resolved(typed).map { [$0] } ?? [])
    }
    // Only the folder: the last part may be a link, and is meant itself.
    let stem = typed.dropLast(typed.reversed().prefix { $0 == "/" }.count + name.count)
    guard let folder = resolved(stem.isEmpty ? "." : String(stem)) else { return [typed] }
    return [typed, "\(folder)/\(name)"]
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
