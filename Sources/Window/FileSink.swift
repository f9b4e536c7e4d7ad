import Glibc
import System
import Transport

/// Takes a file into the share: as `cp` would, so that the answer is the group's.
// SAFETY: called by one thread at a time.
final class FileSink: WebSink, @unchecked Sendable {
  private var file: Int32
  private let place: PlaceInShare
  private let shown: PlaceInShare
  private let folder: OwnedDescriptor
  /// The name under which it is written; another than its own where it replaces a file, which stays
  /// as it is until the new one is whole.
  private let written: [UInt8]
  private let took: @Sendable (Int) -> WebResponse?
  private let finished: @Sendable (Bool) -> Void

  /// Makes the file, and the folders above it. `shown`: what it is called to who sends it, nil: by
  /// its path. `replaces`: whether it may take the place of one.
  /// `took`: counts what came, and may refuse more; `finished`: is told how it ended. Throws EEXIST
  /// where there is one. Blocks.
  init(
    _ place: PlaceInShare, in share: ShareFolder, as shown: PlaceInShare? = nil, replaces: Bool,
    took: @escaping @Sendable (Int) -> WebResponse? = { _ in nil },
    finished: @escaping @Sendable (Bool) -> Void = { _ in }
  ) throws(SystemError) {
    let parts = place.bytes.split(separator: UInt8(ascii: "/"))
    if parts.count > 1,
      let above = PlaceInShare(Array(parts.dropLast().joined(separator: [UInt8(ascii: "/")])))
    {
      try share.makeFolders(above)
    }
    let (folder, name) = try share.parent(of: place)
    var written = name
    if replaces, let found = try? Stat(at: folder.raw, name: name) {
      guard found.isRegular else { throw SystemError(code: EISDIR, call: "replace") }
      // The mount tells the group nothing of names that begin so.
      written = Array(".fuse_hidden-\(String(SecureRandom.uint64(), radix: 16))".utf8)
    }
    (self.place, self.shown) = (place, shown ?? place)
    (self.folder, self.written) = (folder, written)
    (self.took, self.finished) = (took, finished)
    let path = Self.path(written)
    file = try retryingOnInterrupt("create") {
      openat(
        folder.raw, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    }
  }

  func take(_ bytes: [UInt8]) -> WebResponse? {
    if let refusal = took(bytes.count) {
      abandon()
      return refusal
    }
    do throws(SystemError) {
      try File.writeAll(bytes, to: file, "a file in the share")
      return nil
    } catch {
      abandon()
      return Answers.refusal(error, shown)
    }
  }

  func finish() -> WebResponse {
    // The group's answer.
    let code = close(file) == 0 ? 0 : errno
    file = -1
    var failure = code == 0 ? nil : SystemError(code: code, call: "close")
    if failure == nil, written != place.name {
      let (old, new) = (Self.path(written), Self.path(place.name))
      if renameat(folder.raw, old, folder.raw, new) != 0 { failure = SystemError("rename") }
    }
    finished(failure == nil)
    if let failure { return Answers.refusal(failure, shown) }
    return Answers.done(201, "'\(Answers.shown(shown.bytes))' is shared")
  }

  func abandon() {
    guard file >= 0 else { return }
    // Before it is closed, so that the group never hears of a part of it.
    _ = unlinkat(folder.raw, Self.path(written), 0)
    close(file)
    file = -1
    finished(false)
  }

  private static func path(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }
}
