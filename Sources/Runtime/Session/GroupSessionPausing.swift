import Control
import Core
import Mount
import Protocol

/// `fsharectl pause` and `resume`.
extension GroupSession {
  /// Holds reads of a path and all below it.
  func pause(_ argument: PathArgument) -> ControlResponse {
    at(argument) { path, shown in
      switch volume.reading.pause(path) {
      case .paused: .done("\(shown) is paused: reads of others' files there wait")
      case .nothingThere: .refused("there is no \(shown) in the share")
      case .ownFile:
        .refused(
          "\(shown) is your own file: nothing is fetched for it; to hold what others read of your files: "
            + "fsharectl pause --uploads")
      }
    }
  }

  /// Lets reads of a path and all below it go on.
  func resume(_ argument: PathArgument) -> ControlResponse {
    at(argument) { path, shown in
      switch volume.reading.resume(path) {
      case .removed: .done("\(shown) goes on")
      case .wasAbsent:
        .done("\(path == nil ? "nothing" : shown) was \(path == nil ? "" : "not ")paused")
      case .isBelow(let above?):
        .refused(
          "'\(Self.shown(above))' is paused as a whole: fsharectl resume '\(Self.shown(above))'")
      case .isBelow(nil): .refused("everything is paused: fsharectl resume")
      }
    }
  }

  /// The answer about a path, nil for the root, and how it is shown.
  private func at(
    _ argument: PathArgument, _ answer: (SharePath?, String) -> ControlResponse
  ) -> ControlResponse {
    switch argument {
    case .invalid(let reason): .refused(reason)
    case .root: answer(nil, "everything")
    case .path(let path): answer(path, "'\(Self.shown(path))'")
    }
  }

  /// Holds what others read of this member's files, or lets it go on.
  func pauseUploads(_ isPaused: Bool) -> ControlResponse {
    let isChange = volume.serving.pause(isPaused)
    if isPaused { return .done(isChange ? "uploads are paused" : "uploads were paused already") }
    return .done(isChange ? "uploads go on" : "uploads were not paused")
  }

  /// What is paused, for status: `/` is everything.
  var pausedForStatus: [String] {
    let paused = volume.reading.pausedPaths
    return paused.everything ? ["/"] : paused.paths.map(Self.shown)
  }

  /// A path for reports; hostile until escaped.
  static func shown(_ path: SharePath) -> String { TerminalText.text(path.bytes) }
}
