package import Control
import Core
import Glibc
import Mount
import Protocol
import System

/// `fsharectl share`, `unshare` and `shares`.
extension GroupSession {
  /// Answers one request of `fsharectl`, at once or later. Any thread; does not wait.
  package func answer(
    _ request: ControlRequest, _ around: Surroundings,
    _ reply: @escaping @Sendable (ControlResponse) -> Void
  ) {
    switch (request.command, request.arguments.count) {
    case ("share", 2): share(request.arguments[0], as: request.arguments[1], around, reply)
    case ("unshare", 1...3): unshare(request.arguments, around, reply)
    default: reply(answer(request, around))
    }
  }

  /// What is shared in place.
  var shares: SharesReport {
    SharesReport(
      shares: volume.folderSync.sharedInPlace.map { one in
        SharesReport.Share(
          name: Self.shown(one.name), path: String(pathBytes: one.path),
          state: one.kind == nil ? .missing : .shared,
          kind: one.kind.map { $0 == .directory ? .folder : .file })
      })
  }

  private func share(
    _ path: String, as wanted: String, _ around: Surroundings,
    _ reply: @escaping @Sendable (ControlResponse) -> Void
  ) {
    let name: SharePath
    switch PathArgument(typed: wanted, absolute: nil, mountpoint: around.mountpoint) {
    case .invalid(let reason): return reply(.refused(reason))
    case .root: return reply(.refused("the share itself is no name: give another one with --as"))
    case .path(let given): name = given
    }
    volume.folderSync.shareInPlace(
      path.pathBytes, as: name,
      apartFrom: [around.mountpoint, around.ownFolder, around.stateFolder]
        + (around.cacheFolder.map { [$0] } ?? []),
      waits: answersChanges
    ) { outcome in
      reply(Self.response(to: outcome, path, name))
    }
  }

  private static func response(
    to outcome: SharingOutcome, _ path: String, _ name: SharePath
  ) -> ControlResponse {
    let name = shown(name)
    switch outcome {
    case .shared: return .done("'\(path)' is shared as '\(name)'")
    case .unanswered:
      return .done(
        "'\(path)' is shared as '\(name)'; the others see it once the master has answered")
    case .taken(let owner):
      let whose = owner == nil ? "" : " of another member's"
      return .refused(
        "there is something\(whose) at '\(name)' already: choose another name with --as")
    case .notADirectory(let above):
      return .refused("'\(shown(above))' is not a folder: choose another name with --as")
    case .reserved: return .refused("'\(name)' cannot be shared: choose another name with --as")
    case .overlaps(let folder):
      return .refused(
        "'\(path)' and \(folder) may not contain each other: mount, own and state folder cannot be "
          + "shared in place")
    case .overlapsShared(let other):
      return .refused(
        other.path == path.pathBytes
          ? "'\(path)' is shared already, as '\(shown(other.name))'"
          : "'\(String(pathBytes: other.path))' is shared already, as '\(shown(other.name))', and neither may contain "
            + "the other")
    case .failed(let error):
      let reason =
        error.code == EINVAL ? "it is neither a file nor a folder" : SystemError.reason(error.code)
      return .refused("'\(path)' cannot be shared: \(reason)")
    }
  }

  /// `words`: as it was typed, and what that is as absolute paths.
  private func unshare(
    _ words: [String], _ around: Surroundings,
    _ reply: @escaping @Sendable (ControlResponse) -> Void
  ) {
    let argument = PathArgument(
      typed: words[0], absolute: words.dropFirst().first, mountpoint: around.mountpoint)
    let name: SharePath? = if case .path(let path) = argument { path } else { nil }
    volume.folderSync.unshareInPlace(name, paths: words.map(\.pathBytes)) { result in
      switch result {
      case .success(let found?):
        let path = String(pathBytes: found.path)
        reply(.done("'\(path)' is no longer shared; it lies where it was"))
      case .success(nil):
        reply(
          .refused("nothing is shared in place as or from '\(words[0])'; see: fsharectl shares"))
      case .failure(let error): reply(.refused("\(error)"))
      }
    }
  }
}
