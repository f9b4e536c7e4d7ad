import System

/// A path in the words of a request: as it was typed, and as an absolute path.
enum PathWords {
  /// The second word is left out where the folder that is meant does not exist.
  static func of(_ typed: String) -> [String] {
    let name = typed.split(separator: "/").last ?? ""
    if name.isEmpty || name == "." || name == ".." {
      return [typed] + (File.resolved(typed).map { [$0] } ?? [])
    }
    // Only the folder: the last part may be a link, and is meant itself.
    let stem = typed.dropLast(typed.reversed().prefix { $0 == "/" }.count + name.count)
    guard let folder = File.resolved(stem.isEmpty ? "." : String(stem)) else { return [typed] }
    return [typed, "\(folder)/\(name)"]
  }

  /// The last part of a path; where that is no name, the last part of what it leads to.
  static func name(of typed: String, _ real: String) -> String {
    let name = typed.split(separator: "/").last ?? ""
    if !name.isEmpty, name != ".", name != ".." { return String(name) }
    return real.split(separator: "/").last.map(String.init) ?? real
  }
}
