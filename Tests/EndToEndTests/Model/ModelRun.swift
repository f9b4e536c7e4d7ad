import CLinux
import Glibc
import System

/// Where the mounts and the model have parted.
struct ModelFailure: Error, CustomStringConvertible {
  /// Behind which operation.
  let index: Int
  let description: String
}

/// Does operations on real mounts and in the model, and compares.
struct ModelRun {
  /// What one member does before everybody else has to see it.
  private static let batch = 5
  private let members: [Daemon]
  /// How long a change may take to reach everybody.
  private let limit: Duration
  private var model = ModelShare()

  init(_ fixture: Fixture, within limit: Duration) throws {
    self.limit = limit
    let (host, hub) = try fixture.host()
    members = [
      host, try fixture.member("anna", of: hub, approvedBy: host),
      try fixture.member("bert", of: hub, approvedBy: host),
    ]
  }

  /// How many members there are.
  static let memberCount = 3

  /// Does all of them. Throws: `ModelFailure`.
  mutating func perform(_ operations: [ModelOperation]) throws {
    var isEqualSince = 0
    for (index, operation) in operations.enumerated() {
      let expected = model.perform(operation)
      let error = Files.errorOf { try perform(operation) }
      guard expected.isEmpty ? error == 0 : expected.contains(error) else {
        throw ModelFailure(
          index: index,
          description: "\(operation) gave error \(error), not \(expected.isEmpty ? [0] : expected)")
      }
      let next = index + 1 < operations.count ? operations[index + 1].member : nil
      if next != operation.member || index + 1 - isEqualSince >= Self.batch {
        do { try waitForEquality() } catch {
          throw ModelFailure(index: index, description: "behind \(operation): \(error)")
        }
        isEqualSince = index + 1
      }
    }
  }

  private func waitForEquality() throws {
    try eventually("all see what the model says", within: limit) {
      let trees = try members.map { try Tree($0.mount) }
      for member in members.indices {
        if let difference = difference(trees, member) {
          throw NeverHappened(description: difference)
        }
      }
      return true
    }
  }

  /// What a member sees otherwise than the model says.
  private func difference(_ trees: [Tree], _ member: Int) -> String? {
    var seen = trees[member].items
    for (path, node) in model.nodes.sorted(by: { $0.key < $1.key }) {
      guard let item = seen.removeValue(forKey: Array(path.utf8)) else {
        return "\(members[member].name) does not see \(path)"
      }
      let wanted = wanted(node, path, member, trees)
      if item != wanted { return "\(members[member].name) sees \(path): \(item), not \(wanted)" }
    }
    return seen.keys.first.map {
      "\(members[member].name) sees \(String(decoding: $0, as: UTF8.self)), which is not there"
    }
  }

  private func wanted(
    _ node: ModelShare.Node, _ path: String, _ member: Int, _ trees: [Tree]
  ) -> Tree.Item {
    switch node {
    case .folder(let claims):
      let shown = ModelShare.shown(claims, to: member)
      return Tree.Item(
        kind: "folder", permissions: shown.mode, size: 0, modified: timespec(), digest: 0,
        target: [])
    case .link(_, let target):
      return Tree.Item(
        kind: "link", permissions: 0, size: Int64(target.utf8.count), modified: timespec(),
        digest: 0,
        target: Array(target.utf8))
    case .file(let file):
      // What the clock said, its owner knows.
      let time = file.modified ?? trees[file.owner].items[Array(path.utf8)]?.modified ?? timespec()
      return Tree.Item(
        kind: "file", permissions: Tree.seen(file.mode), size: Int64(file.bytes.count),
        modified: time,
        digest: Tree.digest(of: file.bytes), target: [])
    }
  }

  private func perform(_ operation: ModelOperation) throws {
    let member = members[operation.member]
    switch operation.deed {
    case .write(let path, let size, let seed):
      try Files.write(
        member.path(path), Samples.bytes(size, seed: seed), flags: O_CREAT | O_TRUNC | O_NOFOLLOW)
    case .create(let path, let size, let seed):
      try Files.write(member.path(path), Samples.bytes(size, seed: seed), flags: O_CREAT | O_EXCL)
    case .append(let path, let size, let seed):
      try Files.write(
        member.path(path), Samples.bytes(size, seed: seed), flags: O_APPEND | O_NOFOLLOW)
    case .grow(let path, let size, let seed): try grow(member.path(path), size, seed)
    case .overwrite(let path, let offset, let size, let seed):
      let file = try Files.open(member.path(path), O_WRONLY | O_NOFOLLOW)
      let count = pwrite(file, Samples.bytes(size, seed: seed), size, off_t(offset))
      try Files.close(file, path)
      if count != size { throw NeverHappened(description: "pwrite wrote \(count) of \(size)") }
    case .truncate(let path, let size): try Files.truncate(member.path(path), size)
    case .changeMode(let path, let mode): try Files.chmod(member.path(path), mode)
    case .setModified(let path, let seconds, let nanoseconds):
      try Files.setModified(
        member.path(path), seconds, nanoseconds)
    case .rename(let old, let new): try Files.rename(member.path(old), member.path(new))
    case .makeFolder(let path, let mode):
      try Files.makeFolder(member.path(path))
      if mode != 0o755 { try Files.chmod(member.path(path), mode) }
    case .removeFolder(let path): try Files.removeFolder(member.path(path))
    case .unlink(let path): try Files.unlink(member.path(path))
    case .symlink(let path, let target): try Files.symlink(member.path(path), to: target)
    case .read(let path):
      let bytes = try Files.read(member.path(path))
      if case .file(let file)? = model.nodes[path], file.owner == operation.member,
        bytes != file.bytes
      {
        throw NeverHappened(description: "its owner reads something else")
      }
    }
  }

  private func grow(_ path: String, _ size: Int, _ seed: UInt64) throws {
    let file = try Files.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
    do {
      for step in 0...1 {
        try File.writeAll(Samples.bytes(size, seed: seed &+ UInt64(step)), to: file, path)
        if step == 0 { try retryingOnInterrupt("fsync \(path)") { fsync(file) } }
      }
    } catch {
      _ = Glibc.close(file)
      throw error
    }
    try Files.close(file, path)
  }
}
