import Core
import Glibc
import Logging
import Protocol
import System

/// The patterns of the own folder's `.fsharefsignore`, as the file is now.
///
/// A new pattern counts at once. What the file says no more goes on to count until it has stayed so
/// for a while: an editor that is saving it leaves a moment without it, or with half of it, and
/// what is told by then cannot be taken back.
final class IgnoreFile: Sendable {
  private struct State {
    var isRead = false
    /// What the file has said for a while, and what it says since; nil where that is the same.
    var settled = IgnoreRules()
    var latest: IgnoreRules?
    var changed: Instant = .zero
    /// As the file was when it was looked at last; nil: there was none.
    var record: FileRecord?
    /// What `latest` says, else `settled`; nil where it is not known.
    var content: [UInt8]?
  }

  private let folder: OwnFolder
  private let log: Logger
  private let settling: Duration
  private let state = Locked(State(), rank: .leaf)

  /// `settling`: how long what the file says no more goes on to count.
  init(_ folder: OwnFolder, settling: Duration, _ log: Logger) {
    self.folder = folder
    self.settling = settling
    self.log = log
  }

  /// What says that a path is not shared; nil where nothing does. Names of it are shared whatever
  /// is said where they are those of something that is shared in place. Any thread.
  func match(_ path: SharePath, isDirectory: Bool) -> IgnoreRules.Match? {
    let depth = folder.inPlaceShare(holding: path).map { $0.name.depth + 1 } ?? 0
    let (settled, latest) = state.withLock { ($0.settled, $0.latest) }
    return latest?.match(path, isDirectory: isDirectory, below: depth)
      ?? settled.match(path, isDirectory: isDirectory, below: depth)
  }

  /// Whether a folder that is renamed may have what is in it ignored or not by that alone.
  var dependsOnFolders: Bool {
    state.withLock { $0.settled.dependsOnFolders || $0.latest?.dependsOnFolders ?? false }
  }

  /// When `refresh` is due; nil: when something happens in the folder.
  var nextDeadline: Instant? {
    state.withLock { $0.latest == nil ? nil : $0.changed + settling }
  }

  /// Looks at the file, if it is not as it was. Returns: whether it says less than it said, and has
  /// for a while. Blocks on the disk.
  func refresh(_ held: borrowing NamesHeld) -> Bool {
    let now = MonotonicClock.now
    let (before, isCertain) = state.withLock { ($0.record, $0.isRead && $0.latest == nil) }
    do throws(IgnoreFault) {
      let stat = try look()
      let record = stat.map { FileRecord($0) }
      if record != before || !isCertain {
        // Whatever comes of it: it is looked at again when it changes.
        state.withLock { $0.record = record }
        try take(stat == nil ? [] : read(), now: now)
      }
    } catch {
      state.withLock { state in
        state.latest = nil
        state.content = nil
      }
      log.warning(
        """
        the patterns of what is not shared are not taken: \(error.reason); those before go on to \
        count
        """,
        metadata: ["file": "\(String(decoding: IgnoreRules.fileName, as: UTF8.self))"])
    }
    return state.withLock { state in
      state.isRead = true
      guard let latest = state.latest, now - state.changed >= settling else { return false }
      state.settled = latest
      state.latest = nil
      return true
    }
  }

  private func take(_ content: [UInt8], now: Instant) throws(IgnoreFault) {
    if state.withLock({ $0.isRead && $0.content == content }) { return }
    let rules: IgnoreRules
    do throws(IgnoreRules.Fault) { rules = try IgnoreRules(file: content) } catch {
      throw IgnoreFault(
        reason: error == .tooLong
          ? "it is longer than \(IgnoreRules.lengthLimit >> 20) MiB"
          : "it has more than \(IgnoreRules.patternLimit) patterns")
    }
    state.withLock { state in
      state.content = content
      if state.isRead {
        state.latest = rules
        state.changed = now
      } else {
        state.settled = rules
      }
    }
  }

  private func look() throws(IgnoreFault) -> Stat? {
    do throws(SystemError) {
      return try Stat(at: folder.root.raw, name: IgnoreRules.fileName)
    } catch {
      if error.code == ENOENT { return nil }
      throw IgnoreFault(reason: "\(error)")
    }
  }

  /// Nothing but a file is opened: not a pipe, not what a link leads to.
  private func read() throws(IgnoreFault) -> [UInt8] {
    do throws(SystemError) {
      let root = folder.root.raw
      let name = IgnoreRules.fileName
      guard try Stat(at: root, name: name).isRegular else {
        throw SystemError(code: EINVAL, call: "it is no file")
      }
      let file = OwnedDescriptor(
        try retryingOnInterrupt("open") {
          openat(root, name.cPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        })
      guard try Stat(descriptor: file.raw).isRegular else {
        throw SystemError(code: EINVAL, call: "it is no file")
      }
      return try File.readAll(file, "it", limit: IgnoreRules.lengthLimit)
    } catch {
      // Gone meanwhile.
      if error.code == ENOENT { return [] }
      throw IgnoreFault(reason: error.code == EINVAL ? "it is no file" : "\(error)")
    }
  }
}

/// Why the file is not taken, in words.
private struct IgnoreFault: Error {
  let reason: String
}
