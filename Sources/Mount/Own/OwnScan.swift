import Protocol
import System

/// One thing found in the own folder.
struct FoundEntry: Sendable {
  let path: SharePath
  let stat: Stat
  /// Where a symlink points.
  let target: [UInt8]
}

extension OwnFolder {
  /// Everything in the folder that can be shared: files, directories, contained symlinks; parents first.
  /// `skip` hears of what is left out, with the reason.
  func scan(skip: (SharePath, String) -> Void) throws(SystemError) -> [FoundEntry] {
    var found: [FoundEntry] = []
    var directories: [SharePath?] = [nil]
    while let directory = directories.popLast() {
      for bytes in try names(in: directory).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        if directory == nil, bytes == Self.stagingName { continue }
        guard let name = try? Name(bytes), let path = try? SharePath(parent: directory, name: name)
        else { continue }
        // Gone again between readdir and stat: nothing happened.
        guard let stat = try? stat(path) else { continue }
        if stat.isDirectory {
          found.append(FoundEntry(path: path, stat: stat, target: []))
          directories.append(path)
        } else if stat.isRegular {
          found.append(FoundEntry(path: path, stat: stat, target: []))
        } else if stat.isSymlink, let target = try? linkTarget(path) {
          if SymlinkTarget.isContained(target, depth: path.depth) {
            found.append(FoundEntry(path: path, stat: stat, target: target))
          } else {
            skip(path, "the symlink leads out of the share")
          }
        } else {
          skip(path, "not a file, directory or symlink")
        }
      }
    }
    return found.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
  }
}
