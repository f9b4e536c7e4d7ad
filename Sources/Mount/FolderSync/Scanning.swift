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
extension FolderSync {
  /// What became of the wish to open a directory.
  enum Opening {
    case opened(OpenDirectory)
    /// It, or the node, is not there.
    case gone
    case failed(SystemError)
  }

  /// Opens the directory that a node shows.
  func openDirectory(_ number: InodeNumber) -> Opening {
    let found = namespace.read { tree -> (path: SharePath?, record: FileRecord?, [InodeNumber])? in
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
    rescans.missed(found.2)
    return .gone
  }

  /// Compares all names of a directory, and watches it from before they are read. The directories
  /// in it follow.
  func scan(_ number: InodeNumber) {
    if number == Node.rootNumber {
      files.showTop()
      let places = folder.sharedPlaces.map(\.id)
      rescans.add(places.map { .place($0) }, isFinished: false)
    }
    // It was looked into whatever comes of it: what fails is tried again.
    defer { rescans.scanned(number) }
    guard canLook(in: number) else { return }
    let directory: OpenDirectory
    switch openDirectory(number) {
    case .opened(let opened): directory = opened
    case .gone: return rescans.settled(.folder(number))
    case .failed(let error): return couldNotScan(number, error)
    }
    do throws(SystemError) { try watch.watch(directory.file, as: number) } catch {
      couldNotWatch(error)
    }
    let names: [[UInt8]]
    do throws(SystemError) { names = try FolderItems.of(directory.file).map(\.name) } catch {
      return couldNotScan(number, error)
    }
    rescans.settled(.folder(number))
    nameLock.withLock { held in files.refreshIgnored(held) }
    var rest = names[...]
    while !rest.isEmpty {
      let some = rest.prefix(RescanSchedule.batch)
      rest = rest.dropFirst(RescanSchedule.batch)
      nameLock.withLock { held in
        for bytes in some {
          guard let name = try? Name(bytes) else { continue }
          if let below = reconcile(held, name, in: directory, isFinished: false) {
            rescans.add(folder: below.number)
          }
        }
      }
      group.drain()
    }
    noteAbsent(directory, names)
    nameLock.withLock { held in namespace.rest(held, in: number) }
    if rescans.isStarting {
      // The process ended between what lay in it and the directory itself.
      nameLock.withLock { held in files.releaseImplied(held, directory.path) }
    }
  }

  /// What this process may not list is not shared; what else keeps it from that passes.
  private func couldNotScan(_ number: InodeNumber, _ error: SystemError) {
    guard error.isRefusal, number != Node.rootNumber else {
      return rescans.couldNotLook(.folder(number), error)
    }
    nameLock.withLock { held in
      files.occupy(held, number, error.code == EXDEV ? .otherFileSystem : .unreadable(error.code))
    }
  }

  /// What the tree has in a directory and the disk has not is looked at once more when all else is
  /// done: it may have been moved.
  private func noteAbsent(_ directory: OpenDirectory, _ names: [[UInt8]]) {
    let there = Set(names)
    let absent = namespace.read { tree -> [WatchTarget] in
      guard let node = tree[directory.number] else { return [] }
      return node.children.own.compactMap { name, slot in
        let isShared = slot.node.own != nil && slot.node.own?.staged == nil
        guard isShared || slot.occupied != nil, !there.contains(name.bytes) else { return nil }
        return .name(directory.number, name)
      }
    }
    rescans.add(absent: absent)
  }

  /// Says once that changes are noticed late.
  func couldNotWatch(_ error: SystemError) {
    guard rescans.couldNotWatch() else { return }
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
