/// Where a symbolic link points. Checked so that a peer's link never leads out of the share.
package enum SymlinkTarget {
  /// Whether `target` is relative, free of zero bytes, not too long, and has `..` only as leading
  /// parts, at most as many as the link is deep (`depth` directories lie above the link).
  package static func isContained(_ target: [UInt8], depth: Int) -> Bool {
    guard !target.isEmpty, target.count <= Limits.path, target[0] != 0x2f, !target.contains(0)
    else { return false }
    var climbs = 0
    var descended = false
    for part in target.split(separator: 0x2f) {
      if part.count == 2, part.allSatisfy({ $0 == 0x2e }) {
        if descended { return false }
        climbs += 1
      } else if part.count != 1 || part.first != 0x2e {
        descended = true
      }
    }
    return climbs <= depth
  }
}
