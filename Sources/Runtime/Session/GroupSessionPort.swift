package import Core
import Mount
package import Protocol
import Sealing
import System
import Transport

/// What the mount asks of the group: notes it; `drain` does it.
extension GroupSession: GroupPort {
  package var deviceName: DeviceName { state.withLock { $0.deviceName } }

  package func name(of member: PublicID) -> String { names(of: [member])[member] ?? "" }

  package func presence(of member: PublicID) -> Presence {
    state.withLock { $0.member.presences[member] ?? .gone }
  }

  package var answersChanges: Bool {
    state.withLock { $0.member.phase == .live && $0.member.masterIsPresent }
  }

  package func isAcked(_ id: EntryID) -> Bool { state.withLock { $0.member.isAcked(id) } }

  package func share(_ entry: Entry) { note { $0.share(entry, now: $1, into: &$2) } }

  package func share(
    _ entry: Entry, timeout: Duration, _ done: @escaping @Sendable (ChangeOutcome) -> Void
  ) {
    state.withLock { state in
      let now = MonotonicClock.now
      var actions: [MemberAction] = []
      state.lastToken += 1
      let token = state.lastToken
      state.waits[token] = done
      if state.isLeaving {
        actions.append(.answer(token, .masterAway))
      } else if state.member.share(entry, now: now, into: &actions) {
        state.member.wait(for: entry.id, token: token, deadline: now + timeout, into: &actions)
      } else {
        actions.append(.answer(token, .rejected(.impossible)))
      }
      state.enqueue(actions)
    }
  }

  package func unshare(_ id: EntryID) { note { $0.unshare(id, now: $1, into: &$2) } }

  package func rename(_ id: EntryID, to path: SharePath) {
    note { $0.rename(id, to: path, now: $1, into: &$2) }
  }

  package func sharedAll() { stepMember { $0.ownBecameWhole(now: $1, into: &$2) } }

  package func request(_ request: ChunkRequest, by way: ChunkWay) {
    switch way {
    case .hub:
      send(.requestChunk(request))
      direct.wanted(request.owner)
    case .line(let id): direct.request(request, by: id)
    }
  }

  package func upload(_ frame: [UInt8], by way: ChunkWay) {
    switch way {
    case .hub: link?.send(frame: frame)
    case .line(let id): direct.upload(frame, by: id)
    }
  }

  package func uploadFailed(_ failure: ChunkFailure, by way: ChunkWay) {
    switch way {
    case .hub: send(.chunkFailed(failure))
    case .line(let id): direct.failed(failure, by: id)
    }
  }

  private func note(_ body: (inout Member, Instant, inout [MemberAction]) -> Void) {
    state.withLock { state in
      var actions: [MemberAction] = []
      body(&state.member, MonotonicClock.now, &actions)
      state.enqueue(actions)
    }
  }
}
