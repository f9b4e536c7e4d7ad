import Glibc

/// What everybody should see, and what each may do: the simplest thing that says so.
struct ModelShare {
  struct File {
    let owner: Int
    var bytes: [UInt8]
    var mode: UInt32 = 0o644
    /// nil where the clock of the machine set it.
    var modified: timespec?
  }

  /// One member's part in a folder.
  struct Claim {
    let member: Int
    var mode: UInt32
    /// Whether he has it only because something of his lies in it.
    var isImplied = false
  }

  enum Node {
    case file(File)
    case link(owner: Int, target: String)
    /// Whose it is, the earliest first.
    case folder([Claim])

    func belongs(to member: Int) -> Bool {
      switch self {
      case .file(let file): file.owner == member
      case .link(let owner, _): owner == member
      case .folder(let claims): claims.contains { $0.member == member }
      }
    }

    func belongsOnly(to member: Int) -> Bool {
      if case .folder(let claims) = self { return claims.map(\.member) == [member] }
      return belongs(to: member)
    }

    var isFolder: Bool { if case .folder = self { true } else { false } }
  }

  /// By path; the root is not among them.
  private(set) var nodes: [String: Node] = [:]

  /// Does it. Returns: the errors of which one must come; none where it must work.
  mutating func perform(_ operation: ModelOperation) -> [Int32] {
    let member = operation.member
    switch operation.deed {
    case .write(let path, let size, let seed):
      return change(path, member, creates: true) { $0.bytes = Samples.bytes(size, seed: seed) }
    case .create(let path, let size, let seed):
      if let error = parentError(path) { return [error] }
      if nodes[path] != nil { return [EEXIST] }
      return change(path, member, creates: true) { $0.bytes = Samples.bytes(size, seed: seed) }
    case .append(let path, let size, let seed):
      return change(path, member) { $0.bytes += Samples.bytes(size, seed: seed) }
    case .grow(let path, let size, let seed):
      return change(path, member) { file in
        for step in 0...1 { file.bytes += Samples.bytes(size, seed: seed &+ UInt64(step)) }
      }
    case .overwrite(let path, let offset, let size, let seed):
      if size == 0 { return change(path, member) { _ in } }
      return change(path, member) { file in
        let missing = max(0, offset + size - file.bytes.count)
        file.bytes += [UInt8](repeating: 0, count: missing)
        file.bytes.replaceSubrange(offset..<offset + size, with: Samples.bytes(size, seed: seed))
      }
    case .truncate(let path, let size):
      let errors = change(path, member) { file in
        file.bytes =
          file.bytes.prefix(size) + [UInt8](repeating: 0, count: max(0, size - file.bytes.count))
      }
      return errors == [EACCES] ? [EACCES, EPERM] : errors
    case .changeMode(let path, let mode): return changeMode(path, member, mode)
    case .setModified(let path, let seconds, let nanoseconds):
      return setModified(path, member, timespec(tv_sec: seconds, tv_nsec: nanoseconds))
    case .rename(let old, let new): return rename(old, new, member)
    case .makeFolder(let path, let mode):
      if let error = parentError(path) { return [error] }
      if nodes[path] != nil { return [EEXIST] }
      if !mayAdd(path, member) { return [EACCES] }
      nodes[path] = .folder([Claim(member: member, mode: mode)])
      claimParents(of: path, member)
      return []
    case .removeFolder(let path): return removeFolder(path, member)
    case .unlink(let path):
      guard let node = nodes[path] else { return [parentError(path) ?? ENOENT] }
      if node.isFolder { return [EISDIR] }
      if !node.belongs(to: member) { return [EPERM] }
      nodes[path] = nil
      releaseParents(of: path, member)
      return []
    case .symlink(let path, let target):
      if let error = parentError(path) { return [error] }
      if nodes[path] != nil { return [EEXIST] }
      if Self.leadsOut(target, from: path) { return [EPERM] }
      if !mayAdd(path, member) { return [EACCES] }
      nodes[path] = .link(owner: member, target: target)
      claimParents(of: path, member)
      return []
    case .read(let path):
      guard let node = nodes[path] else { return [parentError(path) ?? ENOENT] }
      return node.isFolder ? [EISDIR] : []
    }
  }

  /// Why nothing can be at a path: a part of it is not there, or no folder.
  private func parentError(_ path: String) -> Int32? {
    var parent = ""
    for part in path.split(separator: "/").dropLast() {
      parent += parent.isEmpty ? part : "/\(part)"
      guard let node = nodes[parent] else { return ENOENT }
      if !node.isFolder { return ENOTDIR }
    }
    return nil
  }

  private mutating func claimParents(of path: String, _ member: Int) {
    var parent = ""
    for part in path.split(separator: "/").dropLast() {
      parent += parent.isEmpty ? part : "/\(part)"
      guard case .folder(var claims)? = nodes[parent],
        !claims.contains(where: { $0.member == member })
      else { continue }
      claims.append(
        Claim(member: member, mode: Self.shown(claims, to: member).mode, isImplied: true))
      nodes[parent] = .folder(claims)
    }
  }

  /// What a member sees of a folder: his own part, else that of whoever had it first.
  static func shown(_ claims: [Claim], to member: Int) -> Claim {
    claims.first { $0.member == member && !$0.isImplied }
      ?? claims.first { $0.member != member } ?? claims[0]
  }

  /// Whether a member may put something at a path.
  private func mayAdd(_ path: String, _ member: Int) -> Bool {
    guard let slash = path.lastIndex(of: "/"),
      case .folder(let claims)? = nodes[String(path[..<slash])]
    else { return true }
    let shown = Self.shown(claims, to: member)
    return shown.member == member || shown.mode & 0o002 != 0
  }

  /// Folders above a path in which nothing of a member's lies any more are not his by that any
  /// longer.
  private mutating func releaseParents(of path: String, _ member: Int) {
    var rest = path[...]
    while let slash = rest.lastIndex(of: "/") {
      rest = rest[..<slash]
      let parent = String(rest)
      guard case .folder(let claims)? = nodes[parent],
        !below(parent).contains(where: { nodes[$0]!.belongs(to: member) })
      else { continue }
      let left = claims.filter { $0.member != member || !$0.isImplied }
      nodes[parent] = left.isEmpty ? nil : .folder(left)
    }
  }

  private mutating func change(
    _ path: String, _ member: Int, creates: Bool = false, _ body: (inout File) -> Void
  ) -> [Int32] {
    if let error = parentError(path) { return [error] }
    switch nodes[path] {
    case nil where creates && !mayAdd(path, member): return [EACCES]
    case nil where creates:
      var file = File(owner: member, bytes: [])
      body(&file)
      nodes[path] = .file(file)
      claimParents(of: path, member)
    case .file(var file) where file.owner == member:
      let before = file.bytes
      body(&file)
      if creates || file.bytes != before { file.modified = nil }
      nodes[path] = .file(file)
    case nil: return [ENOENT]
    case .file: return [EACCES]
    case .folder: return [EISDIR]
    case .link: return [ELOOP]
    }
    return []
  }

  private mutating func changeMode(_ path: String, _ member: Int, _ mode: UInt32) -> [Int32] {
    switch nodes[path] {
    case nil: return [parentError(path) ?? ENOENT]
    case .file(var file) where file.owner == member:
      file.mode = mode
      nodes[path] = .file(file)
    case .folder(var claims):
      guard let index = claims.firstIndex(where: { $0.member == member && !$0.isImplied })
      else { return [EPERM] }
      claims[index].mode = mode
      nodes[path] = .folder(claims)
    default: return [EPERM]
    }
    return []
  }

  private mutating func setModified(_ path: String, _ member: Int, _ time: timespec) -> [Int32] {
    guard let node = nodes[path] else { return [parentError(path) ?? ENOENT] }
    if case .folder(let claims) = node, Self.shown(claims, to: member).member != member {
      return [EPERM]
    }
    guard node.belongs(to: member) else { return [EPERM] }
    if case .file(var file) = node {
      file.modified = time
      nodes[path] = .file(file)
    }
    return []
  }

  private mutating func removeFolder(_ path: String, _ member: Int) -> [Int32] {
    guard let node = nodes[path] else { return [parentError(path) ?? ENOENT] }
    if !node.isFolder { return [ENOTDIR] }
    if !node.belongs(to: member) { return [EPERM] }
    if !below(path).isEmpty { return [ENOTEMPTY] }
    if !node.belongsOnly(to: member) { return [EPERM] }
    nodes[path] = nil
    releaseParents(of: path, member)
    return []
  }

  private static func leadsOut(_ target: String, from path: some StringProtocol) -> Bool {
    target.split(separator: "/").count { $0 == ".." } >= path.split(separator: "/").count
  }

  private func below(_ path: String) -> [String] { nodes.keys.filter { $0.hasPrefix(path + "/") } }

  /// In the order in which the kernel and the mount look at it.
  private mutating func rename(_ old: String, _ new: String, _ member: Int) -> [Int32] {
    if let error = parentError(old) ?? parentError(new) { return [error] }
    guard let source = nodes[old] else { return [ENOENT] }
    if new.hasPrefix(old + "/") { return [EINVAL] }
    if old.hasPrefix(new + "/") { return [ENOTEMPTY] }
    if old == new { return [] }
    let target = nodes[new]
    if let target, target.isFolder != source.isFolder {
      return [source.isFolder ? ENOTDIR : EISDIR]
    }
    let moving = below(old)
    guard source.belongsOnly(to: member), moving.allSatisfy({ nodes[$0]!.belongsOnly(to: member) })
    else { return [EPERM] }
    if let target {
      if !target.belongs(to: member) { return [EPERM] }
      if !below(new).isEmpty { return [ENOTEMPTY] }
      if !target.belongsOnly(to: member) { return [EPERM] }
    }
    if !mayAdd(new, member) { return [EACCES] }
    for path in [old] + moving {
      if case .link(_, let target)? = nodes[path],
        Self.leadsOut(target, from: new + path.dropFirst(old.count))
      {
        return [EPERM]
      }
    }
    nodes[new] = source
    nodes[old] = nil
    for path in moving {
      nodes[new + path.dropFirst(old.count)] = nodes[path]
      nodes[path] = nil
    }
    claimParents(of: new, member)
    releaseParents(of: old, member)
    return []
  }
}
