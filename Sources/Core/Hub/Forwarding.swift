import DequeModule
import Protocol

/// What clients say to the master, on its way: each has a line of its own, and they go in turns.
///
/// The master has at most so many messages of one client unanswered; what it says beyond waits
/// here, and where that is too much the client is not read for a while. So whoever floods the
/// master waits for himself, and what others say waits for little more than what they all have
/// unanswered.
package struct Forwarding: Sendable {
  package struct Settings: Sendable {
    /// Messages of one client that the master has not answered at most; as many as an honest one
    /// ever has.
    package var unanswered = Limits.transfersInFlight
    /// Questions among them: each answer is a page of the list, which takes the master
    /// milliseconds.
    package var unansweredQuestions = 2
    /// Bytes of them: what makes the master's answer to the next one late.
    package var unansweredBytes = 256 << 10
    /// Bytes that all of them have unanswered.
    package var unansweredOfAll = 4 << 20
    /// Bytes that wait of one client before it is not read any more.
    package var waitingBytes = 1 << 20
    /// An answer is not waited for any longer: the master may have had none to give.
    package var patience: Duration = .seconds(10)
    /// What of one client goes on while somebody cannot keep up with what everybody hears: so many
    /// bytes in a second. More than a `cp` of small files says, so that nobody who reads slowly,
    /// and be it on purpose, holds up an honest one.
    package var lightBytes = 1 << 20
    /// Changes that one client may propose in a second, and five times as many at once.
    package var changesPerSecond = 10_000
    /// Questions that one client may ask in a second, and as many at once. A list of a million has
    /// some five hundred pages, and each takes the master a millisecond or two.
    package var questionsPerSecond = 200
    package init() {}
  }

  private struct Waiting: Sendable {
    let message: Message
    let bytes: Int
    let name: TransferID?
  }

  private struct Unanswered: Sendable {
    let bytes: Int
    let isQuestion: Bool
    let since: Instant
  }

  private struct Line: Sendable {
    let session: SessionID
    var waiting: Deque<Waiting> = []
    var waitingBytes = 0
    /// Names of what waits or is unanswered: a second copy is no use.
    var names: Set<TransferID> = []
    var unanswered: [TransferID: Unanswered] = [:]
    var unansweredBytes = 0
    var isHeld = false
    /// The master is not ready for more of it before.
    var restsUntil: Instant = .zero
    var changes: Allowance
    var questions: Allowance
    var bytes: Allowance
  }

  private var settings: Settings
  private var lines: [PublicID: Line] = [:]
  /// Whose messages wait, in turns.
  private var turns: Deque<PublicID> = []
  private(set) var unansweredOfAll = 0
  /// Whether more waits for some session than it should: then only those who say little are heard.
  var isCongested = false
  private var checkAt: Instant?
  /// When it is looked next for what is not answered any more.
  private var sweepAt: Instant = .zero
  private static let sweepEvery: Duration = .seconds(1)
  /// How often what waits for time is looked at.
  private static let checkEvery: Duration = .milliseconds(250)

  init(_ settings: Settings) { self.settings = settings }

  /// Goes on with other settings: what a client may say in a second counts for those that say
  /// something next after a while.
  mutating func use(_ settings: Settings) { self.settings = settings }

  /// When `tick` is due; nil where nothing waits.
  var nextDeadline: Instant? { turns.isEmpty ? nil : checkAt }

  /// What of each client waits, or is not answered.
  var loads: [PublicID: Load] {
    lines.mapValues { line in
      Load(
        waiting: line.waiting.count, waitingBytes: line.waitingBytes,
        unanswered: line.unanswered.count,
        unansweredQuestions: line.unanswered.values.count(where: \.isQuestion),
        unansweredBytes: (
          line.unansweredBytes, line.unanswered.values.reduce(0) { $0 + $1.bytes }
        ), names: line.names.count)
    }
  }

  /// A client says something to the master.
  mutating func add(
    _ message: Message, from publicID: PublicID, _ session: SessionID, now: Instant,
    into actions: inout [HubAction]
  ) {
    // Taken out, here and below: a copy beside it would be one of all that waits.
    var line =
      lines.removeValue(forKey: publicID)
      ?? Line(
        session: session,
        changes: Allowance(perSecond: settings.changesPerSecond, atOnce: 5, now: now),
        questions: Allowance(perSecond: settings.questionsPerSecond, now: now),
        bytes: Allowance(perSecond: settings.lightBytes, atOnce: 1, now: now))
    defer { lines[publicID] = line }
    let name = message.named
    if let name {
      if let since = line.unanswered[name]?.since {
        if now < since + settings.patience { return }
      } else if line.names.contains(name) {
        return
      }
      line.names.insert(name)
    }
    let bytes = 64 + (message.body?.count ?? 0)
    line.waiting.append(Waiting(message: message, bytes: bytes, name: name))
    line.waitingBytes += bytes
    if line.waiting.count == 1 { turns.append(publicID) }
    if line.waitingBytes > settings.waitingBytes, !line.isHeld {
      line.isHeld = true
      actions.append(.hold(session, true))
    }
  }

  /// What the master is to hear now, in turns.
  mutating func take(now: Instant, into actions: inout [HubAction]) -> [Message] {
    sweep(now: now)
    var taken: [Message] = []
    var passed = 0
    while passed < turns.count, let publicID = turns.popFirst() {
      guard var line = lines.removeValue(forKey: publicID) else { continue }
      defer { lines[publicID] = line }
      guard let first = line.waiting.first else { continue }
      guard mayGo(first, &line, now: now) else {
        turns.append(publicID)
        passed += 1
        continue
      }
      passed = 0
      line.waiting.removeFirst()
      line.waitingBytes -= first.bytes
      if let name = first.name {
        let before = line.unanswered.updateValue(
          Unanswered(bytes: first.bytes, isQuestion: first.message.proposal == nil, since: now),
          forKey: name)
        if let before {
          // Nobody waits for an answer to the first copy any more.
          line.unansweredBytes -= before.bytes
          unansweredOfAll -= before.bytes
        }
        line.unansweredBytes += first.bytes
        unansweredOfAll += first.bytes
      }
      if line.isHeld, line.waitingBytes <= settings.waitingBytes / 2 {
        line.isHeld = false
        actions.append(.hold(line.session, false))
      }
      taken.append(.forwarded(from: publicID, first.message))
      if !line.waiting.isEmpty { turns.append(publicID) }
    }
    if !turns.isEmpty { checkAt = now + Self.checkEvery }
    return taken
  }

  /// The master answered something that a client said.
  mutating func answered(_ name: TransferID, of publicID: PublicID) {
    guard let one = lines[publicID]?.unanswered.removeValue(forKey: name) else { return }
    lines[publicID]!.names.remove(name)
    lines[publicID]!.unansweredBytes -= one.bytes
    unansweredOfAll -= one.bytes
  }

  /// The master is not ready for what a client says: nothing more of it goes there for a while.
  mutating func rest(_ publicID: PublicID, now: Instant) {
    lines[publicID]?.restsUntil = now + Self.checkEvery
  }

  /// A client is gone, or out: nothing of it is passed on any more.
  mutating func forget(_ publicID: PublicID, into actions: inout [HubAction]) {
    guard let line = lines.removeValue(forKey: publicID) else { return }
    unansweredOfAll -= line.unansweredBytes
    turns.removeAll { $0 == publicID }
    if line.isHeld { actions.append(.hold(line.session, false)) }
  }

  /// The master is gone: when it is back everybody says again what was not answered.
  mutating func forgetAll(into actions: inout [HubAction]) {
    for publicID in lines.keys.sorted() { forget(publicID, into: &actions) }
  }

  /// What is not answered for ever must keep nothing from going: neither what its sender says next,
  /// nor what others do.
  private mutating func sweep(now: Instant) {
    guard now >= sweepAt else { return }
    sweepAt = now + Self.sweepEvery
    for publicID in lines.keys {
      let late = lines[publicID]!.unanswered.filter { now >= $0.value.since + settings.patience }
      for name in late.keys { answered(name, of: publicID) }
    }
  }

  private mutating func mayGo(_ first: Waiting, _ line: inout Line, now: Instant) -> Bool {
    if now < line.restsUntil { return false }
    let isQuestion = first.message.proposal == nil
    if isQuestion,
      line.unanswered.values.count(where: \.isQuestion) >= settings.unansweredQuestions
    {
      return false
    }
    guard line.unanswered.count < settings.unanswered,
      line.unansweredBytes == 0 || line.unansweredBytes + first.bytes <= settings.unansweredBytes,
      unansweredOfAll == 0 || unansweredOfAll + first.bytes <= settings.unansweredOfAll
    else { return false }
    let isLight = line.bytes.take(first.bytes, now: now)
    if isCongested, !isLight { return false }
    // What is not named has no answer: it is as rare as questions are.
    return isQuestion
      ? line.questions.take(now: now) : line.changes.take(now: now)
  }
}
