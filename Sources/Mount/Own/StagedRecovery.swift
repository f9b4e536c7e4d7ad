import Glibc
import Protocol
import System

/// What a start found in the staging folder.
struct StagedRecovery {
  /// Targets that were taken meanwhile, for the log; those files lie under a conflict name.
  var conflicts: [SharePath] = []
  /// What could not be placed.
  var asides: [AsideFile] = []
}

extension OwnFolder {
  /// Names that are tried where a target is taken.
  private static let attempts = 1_000

  /// After a start: moves what is complete into place, and deletes the rest of what this program
  /// has made. What cannot be placed stays. Throws: where the staging folder cannot be listed.
  func recoverStaged(
    conflictName: (SharePath, Int) -> SharePath?
  ) throws(SystemError) -> StagedRecovery {
    var recovery = StagedRecovery()
    let names = Set(try listNames(of: staging))
    for name in names where isStagedName(name) {
      guard names.contains(Self.note(name)) else {
        discard(name)
        continue
      }
      recover(name, conflictName, &recovery)
    }
    // Notes of what is there no longer.
    for note in names where note.ends(with: Self.noteSuffix) {
      let name = Array(note.dropLast(Self.noteSuffix.count))
      if isStagedName(name), !names.contains(name) { discard(name) }
    }
    return recovery
  }

  private func recover(
    _ name: [UInt8], _ conflictName: (SharePath, Int) -> SharePath?,
    _ recovery: inout StagedRecovery
  ) {
    var target: SharePath?
    do throws(SystemError) {
      target = try self.target(of: name)
      // Its writer had not come to the end of its `close`.
      guard let target else { return discard(name) }
      if try recover(name, at: target, conflictName) != target {
        recovery.conflicts.append(target)
      }
    } catch {
      recovery.asides.append(AsideFile(staged: name, target: target, code: error.code))
    }
  }

  /// Places a file. Returns: where.
  private func recover(
    _ name: [UInt8], at target: SharePath, _ conflictName: (SharePath, Int) -> SharePath?
  ) throws(SystemError) -> SharePath {
    var path = target
    for attempt in 0..<Self.attempts {
      do throws(SystemError) {
        // Something may be shared in place there by now.
        if place(at: path) != nil { throw SystemError(code: EEXIST, call: "place") }
        try place(name, at: path, replacing: false)
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

  /// Where a staged file belongs; nil where its note was not finished. Throws: where it cannot be
  /// read.
  private func target(of name: [UInt8]) throws(SystemError) -> SharePath? {
    let file = try openStaged(Self.note(name), flags: O_RDONLY | O_NONBLOCK)
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
