import Core
import Glibc
import Protocol

extension ListStanding {
  /// What a program hears in place of a listing; nil where there is one. No directory is ever
  /// listed without what others have in it: an empty one, or half of one, is something that `rsync
  /// --delete` believes.
  var code: Int32? {
    switch self {
    case .complete: nil
    case .missing: EHOSTDOWN
    case .refused: EACCES
    }
  }
}

extension Tree {
  /// Why nothing can be said of a name; nil where it can: with a complete list, and of what is
  /// one's own.
  func refusal(of name: [UInt8], in directory: Node) -> Int32? {
    guard let code = standing.code else { return nil }
    guard let name = try? Name(name), let node = directory.children[name]?.node else { return code }
    // A directory that only holds something may hold something of one's own.
    return node.own != nil || (node.kind == .directory && node.entry == nil) ? nil : code
  }
}
