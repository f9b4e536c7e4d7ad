import Glibc
import Protocol
import State
import System

/// What a start found in the staging folder.
struct StagedRecovery {
  /// Targets that were taken meanwhile, for the log; those files lie under a conflict name.
  var conflicts: [SharePath] = []
  /// What could not be placed.
  var asides: [AsideFile] = []
  /// Whether it could not be read what was complete: all that may have been is kept.
  var isDamaged = false
  /// Why it cannot be noted now what is complete; then the next `close` tries again.
  var fault: SystemError?
}

extension OwnFolder {
  /// Names that are tried where a target is taken.
  private static let attempts = 1_000

  /// After a start: moves what is complete into place, and deletes the rest of what this program
  /// has made. What cannot be placed stays. Throws: where the staging folder cannot be listed.
  func recoverStaged(
    _ held: borrowing NamesHeld, conflictName: (SharePath, Int) -> SharePath?
  ) throws(SystemError) -> StagedRecovery {
    StateFile.removeLeftovers(in: stagingPath)
    let names = Set(try FolderItems.of(staging).map(\.name))
    let found = stagedTargets.load()
    var recovery = StagedRecovery(isDamaged: found.isDamaged)
    for name in names where isStagedName(name) {
      do throws(SystemError) {
        if let target = found.targets[name] {
          guard let target else { throw Self.unknownTarget }
          recover(held, name, at: target, conflictName, &recovery)
        } else if names.contains(Self.olderNote(name)) {
          let target = try olderTarget(of: name)
          // Its writer had not come to the end of its `close`.
          guard let target else {
            discard(name)
            continue
          }
          recover(held, name, at: target, conflictName, &recovery)
        } else if found.isDamaged {
          throw Self.unknownTarget
        } else {
          discard(name)
        }
      } catch {
        recovery.asides.append(AsideFile(staged: name, target: nil, code: error.code))
      }
    }
    let kept = recovery.asides.filter { !names.contains(Self.olderNote($0.staged)) }
    do throws(SystemError) {
      try stagedTargets.begin(
        with: Dictionary(uniqueKeysWithValues: kept.map { ($0.staged, $0.target) }))
    } catch {
      recovery.fault = error
    }
    removeOlderNotes(names, keeping: Set(recovery.asides.map(\.staged)))
    return recovery
  }

  private static let unknownTarget = SystemError(
    code: EBADMSG, call: "read where a staged file belongs")

  private func recover(
    _ held: borrowing NamesHeld, _ name: [UInt8], at target: SharePath,
    _ conflictName: (SharePath, Int) -> SharePath?,
    _ recovery: inout StagedRecovery
  ) {
    do throws(SystemError) {
      if try recover(held, name, at: target, conflictName) != target {
        recovery.conflicts.append(target)
      }
    } catch {
      recovery.asides.append(AsideFile(staged: name, target: target, code: error.code))
    }
  }

  /// Places a file. Returns: where.
  private func recover(
    _ held: borrowing NamesHeld, _ name: [UInt8], at target: SharePath,
    _ conflictName: (SharePath, Int) -> SharePath?
  ) throws(SystemError) -> SharePath {
    var path = target
    for attempt in 0..<Self.attempts {
      do throws(SystemError) {
        // Something may be shared in place there by now.
        if inPlaceShare(at: path) != nil { throw SystemError(code: EEXIST, call: "place") }
        try moveIntoPlace(held, name, at: path, replacing: false)
        return path
      } catch  where error.code == EEXIST {
        guard let other = conflictName(target, attempt) else { throw error }
        path = other
      }
    }
    throw SystemError(code: EEXIST, call: "place a staged file")
  }

  /// Whether a name is one that `stage` gives: nothing else in that folder is this program's to
  /// delete.
  private func isStagedName(_ name: [UInt8]) -> Bool {
    (1...16).contains(name.count)
      && name.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

// MARK: - Notes of earlier versions

/// Each complete file had a note of its own beside it, `NAME.target`.
extension OwnFolder {
  private static let noteSuffix = Array(".target".utf8)

  private static func olderNote(_ name: [UInt8]) -> [UInt8] { name + noteSuffix }

  /// Removes the notes of what is there no longer.
  private func removeOlderNotes(_ names: Set<[UInt8]>, keeping kept: Set<[UInt8]>) {
    for note in names where note.ends(with: Self.noteSuffix) {
      let name = Array(note.dropLast(Self.noteSuffix.count))
      if isStagedName(name), !kept.contains(name) { _ = unlinkat(staging.raw, note.cPath, 0) }
    }
  }

  /// Where a staged file belongs; nil where its note was not finished. Throws: where it cannot be
  /// read.
  private func olderTarget(of name: [UInt8]) throws(SystemError) -> SharePath? {
    let file = try openStaged(Self.olderNote(name), flags: O_RDONLY | O_NONBLOCK)
    guard try Stat(descriptor: file.raw).isRegular else {
      throw SystemError(code: EINVAL, call: "read the note of a staged file")
    }
    var buffer = [UInt8](repeating: 0, count: Limits.path + 1)
    let count = try retryingOnInterrupt("read the note of a staged file") {
      read(file.raw, &buffer, buffer.count)
    }
    if count == 0 { return nil }
    do throws(PathFault) { return try SharePath(Array(buffer[..<count])) } catch {
      throw SystemError(code: EBADMSG, call: "read the note of a staged file")
    }
  }
}

extension [UInt8] {
  fileprivate func ends(with suffix: [UInt8]) -> Bool { self.suffix(suffix.count) == suffix[...] }
}
