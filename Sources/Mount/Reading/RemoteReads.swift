import CFuse
import CLinux
import Core
import Glibc
import Protocol
import System

/// Who waits for a read.
enum WaitingReader: Sendable {
  /// A program, by the kernel.
  case request(Request)
  /// The mount itself, which wants the leaves to be here and not their bytes: nil, or why they are
  /// not. Told by the thread that made the step; must not wait.
  case keeper(@Sendable (ReadFailure?) -> Void)

  func fail(_ failure: ReadFailure) {
    switch self {
    case .request(let request): request.reply(error: failure.code)
    case .keeper(let told): told(failure)
    }
  }
}

/// Reads that wait for leaves, by their tokens.
struct ParkedReads: Sendable {
  private var readers: [ReadToken: WaitingReader] = [:]
  /// Interrupted before the read was known to the fetcher.
  private var early: Set<ReadToken> = []
  private var last: ReadToken = 0

  mutating func nextToken() -> ReadToken {
    last += 1
    return last
  }

  mutating func park(_ reader: WaitingReader, _ token: ReadToken) { readers[token] = reader }

  mutating func take(_ token: ReadToken) -> WaitingReader? {
    early.remove(token)
    return readers.removeValue(forKey: token)
  }

  mutating func noteEarlyInterrupt(_ token: ReadToken) {
    if readers[token] != nil { early.insert(token) }
  }

  mutating func wasInterrupted(_ token: ReadToken) -> Bool { early.remove(token) != nil }
}

extension RemoteReading {
  /// A token for a READ, by which it can be interrupted.
  func newToken() -> ReadToken { reads.withLock { $0.nextToken() } }

  /// READ of somebody else's file that is open as `stream`. `token` was drawn before and made known
  /// to libfuse for interrupts.
  func read(_ request: Request, token: ReadToken, of stream: StreamID, size: Int, offset: Int64) {
    read(.request(request), token: token, of: stream, size: size, offset: offset)
  }

  /// The same, whoever it is that waits.
  func read(
    _ reader: WaitingReader, token: ReadToken, of stream: StreamID, size: Int, offset: Int64
  ) {
    reads.withLock { $0.park(reader, token) }
    step { fetcher, now, actions in
      fetcher.read(
        token, stream: stream, offset: UInt64(max(0, offset)), length: size, now: now,
        into: &actions)
    }
    if reads.withLock({ $0.wasInterrupted(token) }) { interruptRead(token) }
  }

  /// The program that waits for a read was interrupted: the wait ends, the fetch goes on.
  func interruptRead(_ token: ReadToken) {
    if fetcher.withLock({ $0.cancel(token) }) {
      reads.withLock { $0.take(token) }?.fail(.abandoned)
    } else {
      reads.withLock { $0.noteEarlyInterrupt(token) }
    }
  }

  /// One step of the fetcher, and what it wants done, on this thread: answers have no order to
  /// keep.
  func step(_ body: (inout ChunkFetcher, Instant, inout [FetchAction]) -> Void) {
    var actions: [FetchAction] = []
    fetcher.withLock { body(&$0, MonotonicClock.now, &actions) }
    perform(actions)
  }

  /// What the fetcher wants done. No lock held.
  func perform(_ actions: [FetchAction]) {
    for action in actions {
      switch action {
      case .recall(let keys): recall(keys)
      case .request(let request): group.request(request, by: .hub)
      case .requestDirectly(let request, let id): group.request(request, by: .line(id))
      case .reply(let token, let slices):
        switch reads.withLock({ $0.take(token) }) {
        case .request(let request): reply(request, slices)
        case .keeper(let told): told(nil)
        case nil: break
        }
      case .fail(let token, let failure):
        reads.withLock { $0.take(token) }?.fail(failure)
      }
    }
  }

  private func reply(_ request: Request, _ slices: [LeafSlice]) {
    var pieces: [iovec] = []
    pieces.reserveCapacity(slices.count)
    gather(slices[...], &pieces) { request.reply(pieces: $0) }
  }

  /// Calls `body` with all slices as pieces; each array is held open by one level of the recursion,
  /// of which there are as many as a READ has leaves: nine.
  private func gather(
    _ slices: ArraySlice<LeafSlice>, _ pieces: inout [iovec], _ body: ([iovec]) -> Void
  ) {
    guard let first = slices.first else { return body(pieces) }
    first.leaf.withUnsafeBytes { bytes in
      // SAFETY: the kernel only reads; the pointer is used before this closure returns.
      let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress! + first.offset)
      pieces.append(iovec(iov_base: start, iov_len: first.count))
      gather(slices.dropFirst(), &pieces, body)
    }
  }
}

extension ReadFailure {
  /// The errno that the reading program gets.
  var code: Int32 {
    switch self {
    case .timedOut: ETIMEDOUT
    case .gone, .unreadable: EIO
    case .changed: ESTALE
    case .denied: EACCES
    case .tooManyHeld: EAGAIN
    case .abandoned: EINTR
    }
  }
}
