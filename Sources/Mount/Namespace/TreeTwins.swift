/// Own files with several names, made past the mount (hard links). Each name is an entry and a node
/// of its own; the kernel takes them for different files, so what is done by one of them must be
/// shown at the others.
extension Tree {
  /// Shows the attributes of an own file at its other names, and knows it by this one from now on.
  /// The kernel must be told. Complexity: O(names of the file).
  mutating func showOtherNames(of node: Node) {
    for twin in otherNames(of: node) where twin.attributes != node.attributes {
      let isOther = twin.attributes.isOtherContent(node.attributes)
      twin.attributes = node.attributes
      guard twin.lookups > 0 else { continue }
      invalidations.append(.attributes(twin.number))
      if isOther { invalidations.append(.content(twin.number)) }
    }
  }

  /// The other nodes that show the same file of one's own; those that do so no longer are
  /// forgotten.
  mutating func otherNames(of node: Node) -> [Node] {
    guard node.attributes.hasOtherNames, let file = node.attributes.file else { return [] }
    let known = (twins[file] ?? []).union([node.number])
    let alive = known.filter { number in
      self[number].map { $0.own != nil && $0.isLinked && $0.attributes.file == file } ?? false
    }
    twins[file] = alive.isEmpty ? nil : alive
    return alive.sorted().compactMap { $0 == node.number ? nil : self[$0] }
  }
}
