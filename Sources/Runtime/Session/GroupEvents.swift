import Control
import Core
import Protocol
import System

/// What happened in the group since this process began, for people: the last few hundred things.
/// What comes at once is one thing, however many files it is about.
struct GroupEvents {
  /// What a member did to files.
  enum Deed {
    case shared, tookBack
  }

  private struct Line {
    var number: Int64
    var at: Int64
    var text: String
    /// Of files: whose, what, how many, and one of them.
    var files: (owner: PublicID, deed: Deed, count: Int, path: SharePath)?
  }

  private var lines: [Line] = []
  private var lastNumber: Int64 = 0

  private static let limit = 500
  /// What follows within so many seconds is part of the same.
  private static let together: Int64 = 2

  /// Something that is not about files.
  mutating func note(_ text: String, now: Int64) { append(text, nil, now) }

  /// Changes of the list. `name`: of a member.
  mutating func note(_ deltas: [ListDelta], now: Int64, name: (PublicID) -> String) {
    for delta in deltas {
      switch delta {
      case .upserted(let listed): note(listed, .shared, now, name)
      case .removed(let listed): note(listed, .tookBack, now, name)
      }
    }
  }

  private mutating func note(
    _ listed: ListedEntry, _ deed: Deed, _ now: Int64, _ name: (PublicID) -> String
  ) {
    guard listed.entry.kind != .directory else { return }
    var files = (owner: listed.owner, deed: deed, count: 1, path: listed.entry.path)
    if let last = lines.last, let before = last.files, now - last.at <= Self.together,
      before.owner == files.owner, before.deed == deed
    {
      files.count += before.count
      files.path = before.path
      lines.removeLast()
    }
    append(Self.text(files, name(files.owner)), files, now)
  }

  private mutating func append(
    _ text: String, _ files: (owner: PublicID, deed: Deed, count: Int, path: SharePath)?,
    _ now: Int64
  ) {
    lastNumber += 1
    lines.append(Line(number: lastNumber, at: now, text: text, files: files))
    if lines.count > Self.limit { lines.removeFirst(lines.count - Self.limit) }
  }

  private static func text(
    _ files: (owner: PublicID, deed: Deed, count: Int, path: SharePath), _ name: String
  ) -> String {
    let who = name.isEmpty ? "member \(files.owner)" : name
    let what = files.deed == .shared ? "shared" : "took back"
    let path = TerminalText.text(files.path.bytes)
    return files.count == 1
      ? "\(who) \(what) \(path)" : "\(who) \(what) \(files.count) files, one of them \(path)"
  }

  /// What is behind a number.
  func report(after number: Int64) -> EventsReport {
    EventsReport(
      events: lines.filter { $0.number > number }.map {
        EventsReport.Event(number: $0.number, at: $0.at, text: $0.text)
      })
  }
}

extension GroupSession {
  /// Notes what happened to members. Any thread.
  func noteEvent(_ publicID: PublicID, _ what: String) {
    let name = name(of: publicID)
    let text = "\(name.isEmpty ? "member \(publicID)" : name) \(what)"
    let now = WallClock.seconds
    events.withLock { $0.note(text, now: now) }
  }

  static func eventText(_ presence: Presence) -> String {
    switch presence {
    case .online: "is here"
    case .away: "is away"
    case .gone: "has left"
    }
  }

  /// Notes what changed in the list; a list that is new altogether is no news. Any thread, without
  /// the state's lock.
  func noteEvents(_ deltas: [ListDelta]?) {
    guard let deltas, !deltas.isEmpty else { return }
    let now = WallClock.seconds
    // A long step is one line, and its names are looked up once.
    var names: [PublicID: String] = [:]
    for delta in deltas {
      let owner =
        switch delta {
        case .upserted(let listed), .removed(let listed): listed.owner
        }
      if names[owner] == nil { names[owner] = name(of: owner) }
    }
    events.withLock { $0.note(deltas, now: now) { names[$0] ?? "" } }
  }

  /// Answers `events`.
  func eventsAnswer(after number: String) -> ControlResponse {
    guard let number = Int64(number) else { return .refused("'\(number)' is no number") }
    return .report(events.withLock { $0.report(after: number) })
  }
}
