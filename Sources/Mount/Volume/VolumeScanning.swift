import Glibc
import Logging
import Protocol
import System

/// A directory of one's own that is open for looking.
struct OpenDirectory {
  let number: InodeNumber
  /// nil: the own folder itself.
  let path: SharePath?
  let file: OwnedDescriptor
}

/// Whole directories of the own folder, compared with the tree.
extension Volume {
  /// What became of the wish to open a directory.
  enum Opening {
    case opened(OpenDirectory)
    /// It, or the node, is not there.
    case gone
    case failed(SystemError)
  }

  /// Opens the directory that a node shows.
  func openDirectory(_ number: InodeNumber) -> Opening {
    let found = tree.withLock { tree -> (path: SharePath?, record: FileRecord?, [InodeNumber])? in
      guard let node = tree[number], node.kind == .directory, node.isLinked, node.occupied == nil
      else { return nil }
      let line = sequence(first: node, next: \.parent).map(\.number)
      return (tree.path(of: node), node.own?.record, line)
    }
    guard let found else { return .gone }
    do throws(SystemError) {
      let file = try folder.openDirectory(found.path)
      let stat = try Stat(descriptor: file.raw)
      // Another one may lie at its path by now.
      if found.record?.isSameFile(FileRecord(stat)) ?? true {
        return .opened(OpenDirectory(number: number, path: found.path, file: file))
      }
    } catch {
      if ![ENOENT, ENOTDIR, ELOOP].contains(error.code) { return .failed(error) }
    }
    looks.withLock { $0.missed(found.2) }
    return .gone
  }

  /// Compares all names of a directory, and watches it from before they are read. The directories
  /// in it follow.
  func scan(_ number: InodeNumber) {
    if number == Node.rootNumber {
      showTop()
      let places = folder.sharedPlaces.map(\.id)
      looks.withLock { looks in
        for place in places { looks.add(.place(place), isFinished: false) }
      }
    }
    // It was looked into whatever comes of it: what fails is tried again.
    defer { looks.withLock { $0.scanned(number) } }
    guard canLook(in: number) else { return }
    let directory: OpenDirectory
    switch openDirectory(number) {
    case .opened(let opened): directory = opened
    case .gone: return looks.withLock { $0.settled(.folder(number)) }
    case .failed(let error): return couldNotScan(number, error)
    }
    do throws(SystemError) { try watch.watch(directory.file, as: number) } catch {
      couldNotWatch(error)
    }
    let names: [[UInt8]]
    do throws(SystemError) { names = try listNames(of: directory.file) } catch {
      return couldNotScan(number, error)
    }
    looks.withLock { $0.settled(.folder(number)) }
    var rest = names[...]
    while !rest.isEmpty {
      let some = rest.prefix(LookQueue.batch)
      rest = rest.dropFirst(LookQueue.batch)
      namespace.withLock { _ in
        for bytes in some {
          guard let name = try? Name(bytes) else { continue }
          if let below = look(at: name, in: directory, isFinished: false) {
            looks.withLock { $0.add(folder: below.number) }
          }
        }
      }
      group.drain()
    }
    noteAbsent(directory, names)
    namespace.withLock { _ in tree.withLock { $0.rest(in: number) } }
    if looks.withLock({ $0.isStarting }) {
      // The process ended between what lay in it and the directory itself.
      namespace.withLock { _ in releaseImplied(directory.path) }
    }
  }

  /// What this process may not list is not shared; what else keeps it from that passes.
  private func couldNotScan(_ number: InodeNumber, _ error: SystemError) {
    guard error.isRefusal, number != Node.rootNumber else {
      return couldNotLook(.folder(number), error)
    }
    namespace.withLock { _ in
      occupy(number, error.code == EXDEV ? .otherFileSystem : .unreadable(error.code))
    }
  }

  /// What the tree has in a directory and the disk has not is looked at once more when all else is
  /// done: it may have been moved.
  private func noteAbsent(_ directory: OpenDirectory, _ names: [[UInt8]]) {
    let there = Set(names)
    let absent = tree.withLock { tree -> [LookSpot] in
      guard let node = tree[directory.number] else { return [] }
      return node.children.own.compactMap { name, slot in
        let isShared = slot.node.own != nil && slot.node.own?.staged == nil
        guard isShared || slot.occupied != nil, !there.contains(name.bytes) else { return nil }
        return .name(directory.number, name)
      }
    }
    looks.withLock { looks in
      for spot in absent { looks.add(absent: spot) }
    }
  }

  /// Says once that changes are noticed late.
  func couldNotWatch(_ error: SystemError) {
    guard looks.withLock({ $0.couldNotWatch() }) else { return }
    let setting =
      error.code == ENOSPC ? "fs.inotify.max_user_watches" : "fs.inotify.max_user_instances"
    log.warning(
      "not all of the own folder can be watched: it is compared once a minute (see sysctl \(setting))",
      metadata: ["why": "\(error)"])
  }
}

extension SystemError {
  /// Whether it says that this process may not, rather than that it cannot now.
  var isRefusal: Bool { [EACCES, EPERM, EXDEV, ENAMETOOLONG].contains(code) }
}
