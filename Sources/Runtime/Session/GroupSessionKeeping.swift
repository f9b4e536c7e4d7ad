import Control
import Core
import Mount
import Protocol
import State
import System

/// `fsharectl keep`, `unkeep`, `fetch` and `keeps`.
extension GroupSession {
  /// Keeps others' files at a path and below it.
  func keep(_ argument: PathArgument) -> ControlResponse {
    choose(argument) { path, shown in
      keepsLock.withLock { _ in
        var kept = volume.keeping.kept
        kept.insert(path)
        if let refusal = noRoom(for: volume.keeping.cost(of: kept), "kept") { return refusal }
        if let refusal = write(kept) { return refusal }
        volume.keeping.keep(kept)
        return .done("\(shown) is kept: what is not here yet is fetched, and what comes later too")
      }
    }
  }

  /// Fetches others' files at a path and below it.
  func fetch(_ argument: PathArgument) -> ControlResponse {
    choose(argument) { path, shown in
      if let refusal = noRoom(for: volume.keeping.figures(of: path).cost, "fetched") {
        return refusal
      }
      volume.keeping.fetch(path)
      return .done("\(shown) is being fetched")
    }
  }

  /// Lets others' files at a path and below it go out of the disk cache again.
  func unkeep(_ argument: PathArgument) -> ControlResponse {
    let path: SharePath?
    switch argument {
    case .invalid(let reason): return .refused(reason)
    case .root: path = nil
    case .path(let given): path = given
    }
    return keepsLock.withLock { _ in
      var kept = volume.keeping.kept
      switch kept.remove(path) {
      case .wasAbsent: return .refused("\(Self.shownKept(path)) is not kept")
      case .isBelow(let above):
        return .refused(
          "\(Self.shownKept(above)) is kept as a whole: fsharectl unkeep "
            + ShellWord.quoted(above.map(Self.shown) ?? "/"))
      case .removed: break
      }
      if let refusal = write(kept) { return refusal }
      volume.keeping.keep(kept)
      return .done("\(Self.shownKept(path)) is not kept any more: it goes when room is needed")
    }
  }

  /// What is kept, and how much of it is here.
  var keeps: KeepsReport {
    let (kept, fetched) = (volume.keeping.kept, volume.keeping.fetched)
    return report(
      kept.roots.map { report($0, isOnce: false) } + fetched.roots.map { report($0, isOnce: true) })
  }

  /// The same of one path, which is kept or fetched, or was fetched; of none where it is not.
  func keeps(at argument: PathArgument) -> ControlResponse {
    choose(argument) { path, _ in
      let isKept = volume.keeping.kept.covers(path)
      let keep = report(path, isOnce: !isKept)
      let isChosen = isKept || volume.keeping.fetched.covers(path) || keep.state == .whole
      return .report(report(isChosen ? [keep] : []))
    }
  }

  private func report(_ keeps: [KeepsReport.Keep]) -> KeepsReport {
    let cache = volume.keeping.diskCache
    return KeepsReport(
      keeps: keeps, keptBytes: UInt64(cache?.keptBytes ?? 0),
      cacheLimit: UInt64(cache?.limit ?? 0))
  }

  private func report(_ path: SharePath?, isOnce: Bool) -> KeepsReport.Keep {
    let figures = volume.keeping.figures(of: path)
    return KeepsReport.Keep(
      path: path.map(Self.shown) ?? "/", isOnce: isOnce, files: figures.files,
      bytes: figures.bytes, bytesHere: figures.bytesHere,
      state: figures.isWhole ? .whole : figures.obstacle == nil ? .fetching : .waiting,
      reason: figures.obstacle.map(text))
  }

  private func text(_ obstacle: Keeping.Obstacle) -> String {
    switch obstacle {
    case .hub: "the hub is not connected"
    case .ownerAway(let owner):
      "\(TerminalText.text(Array(name(of: owner).utf8))) (client \(owner)) is away"
    case .paused: "it is paused: fsharectl resume"
    case .noRoom: "the disk cache is full of what is kept: start with a larger --cache-size"
    case .disk(let why): "the disk cache: \(why)"
    case .refused: "its owner does not send all of it: fsharectl why, with the file"
    }
  }

  /// The answer about a path of which something is to be fetched.
  private func choose(
    _ argument: PathArgument, _ answer: (SharePath?, String) -> ControlResponse
  ) -> ControlResponse {
    guard volume.keeping.diskCache != nil else {
      return .refused("there is no disk cache to keep it in: start with --cache DIR")
    }
    let path: SharePath?
    switch argument {
    case .invalid(let reason): return .refused(reason)
    case .root: path = nil
    case .path(let given): path = given
    }
    return switch volume.keeping.subject(at: path) {
    case .nothing: .refused("there is no \(Self.shownKept(path)) in the share")
    case .ownFile: .refused("\(Self.shownKept(path)) is your own file: it is here")
    case .others: answer(path, Self.shownKept(path))
    }
  }

  private func noRoom(for cost: UInt64, _ what: String) -> ControlResponse? {
    let limit = UInt64(volume.keeping.diskCache?.limit ?? 0)
    guard cost > limit else { return nil }
    return .refused(
      "what would be \(what) takes \(cost >> 20) MiB, and the disk cache may hold \(limit >> 20): "
        + "start with a larger --cache-size")
  }

  /// Writes down what is kept. Returns: the refusal, where that cannot be.
  private func write(_ kept: ChosenPaths) -> ControlResponse? {
    do throws(SystemError) {
      try KeepsFile(paths: kept.roots).write(keepsFile)
      return nil
    } catch { return .refused("what is kept cannot be written down: \(error)") }
  }

  private static func shownKept(_ path: SharePath?) -> String {
    path.map { "'\(shown($0))'" } ?? "everything"
  }
}
