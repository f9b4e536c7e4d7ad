import Core
import Logging
import Protocol
import System
import Transport

/// The master where its disk is full, or fails: nothing is told to anybody that is not kept, and
/// all goes on by itself when there is room.
extension GroupSession {
  /// While draining.
  func performOrKeep(_ action: MasterAction) {
    do throws(SystemError) { try perform(action) } catch {
      let isNew = state.withLock { state in
        defer { state.backlog.begin(with: action, "\(error)", now: MonotonicClock.now) }
        return state.backlog.trouble == nil
      }
      if isNew { log.critical("changes wait until the disk takes them: \(error)") }
    }
  }

  /// Tries again what the disk did not take, and does all that followed it. While draining.
  func performBacklog() {
    while let action = state.withLock({ $0.backlog.next() }) {
      do throws(SystemError) { try perform(action) } catch {
        return state.withLock {
          $0.backlog.begin(with: action, "\(error)", now: MonotonicClock.now)
        }
      }
    }
    log.notice("the disk takes changes again: those that waited are told")
    state.withLock { state in
      guard state.master != nil else { return }
      var actions: [MasterAction] = []
      state.backlog.end(&state.master!, now: MonotonicClock.now, into: &actions)
      state.enqueue(actions)
    }
  }

  /// Has the disk tried again where that is due. Service thread of the link.
  func tickBacklog(now: Instant) {
    step { state, _ in if state.backlog.isDue(now: now) { state.work.append(.backlog) } }
  }

  /// The hub said something to the master. `isTable`: whether it says all that was said before.
  func hear(isTable: Bool = false, _ input: @escaping MasterBacklog.Input) {
    var isTooMuch = false
    step { state, now in
      if state.backlog.trouble == nil {
        state.stepMaster(now, input)
      } else {
        isTooMuch = !state.backlog.keep(input, isTable: isTable)
      }
    }
    if isTooMuch { link.disconnect() }
  }

  /// A member asks for the list, of which the master knows more than may be told meanwhile.
  func hear(question: ListQuestion, from asker: PublicID) {
    step { state, now in
      if state.backlog.trouble == nil {
        state.stepMaster(now) { master, now, actions in
          _ = master.received(.askFiles(question), from: asker, now: now, into: &actions)
        }
      } else {
        state.backlog.keep(question: question, from: asker)
      }
    }
  }

  /// Somebody proposes a change. What it leads to is queued, and done by `drain`. Returns: false
  /// for a message that proposes nothing.
  func propose(_ message: Message, from sender: PublicID) -> Bool {
    guard let proposal = message.proposal else { return false }
    let isTaken = state.withLock { state -> Bool in
      guard state.backlog.trouble == nil else { return false }
      state.stepMaster(MonotonicClock.now) { master, now, actions in
        _ = master.received(message, from: sender, now: now, into: &actions)
      }
      return true
    }
    if !isTaken { answer(sender, .serverNotReady(proposal.transfer)) }
    return true
  }
}
