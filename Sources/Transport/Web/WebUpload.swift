import DequeModule

/// The body of a request on its way in. Service thread only.
final class WebUpload {
  /// What is to be done with what came.
  enum Step {
    case open(@Sendable () -> WebReception)
    case take(any WebSink, [UInt8])
    case finish(any WebSink)
    /// All of a short body is here.
    case use(@Sendable ([UInt8]) -> WebReply, [UInt8])
    /// Why it was refused; the body has come to its end, or is not waited for.
    case refuse(WebResponse)
  }

  private enum Taker {
    case unopened(@Sendable () -> WebReception)
    case sink(any WebSink)
    /// A short body is collected whole.
    case whole(@Sendable ([UInt8]) -> WebReply)
    case refused(WebResponse)
    /// Who took it has answered, or nobody takes it any more.
    case none
  }

  private var taker: Taker
  private let limits: WebLimits
  private var pieces: Deque<[UInt8]> = []
  private var waiting = 0
  private var isBusy = false
  private var hasEnded = false
  /// Whether the connection is gone.
  private(set) var isAbandoned = false
  /// Bytes that were thrown away since it was refused.
  private var drained: UInt64 = 0
  /// Whether the other end sends the body only when it hears that it is taken.
  private let isAwaited: Bool

  /// A body that `open` finds a taker for.
  init(open: @escaping @Sendable () -> WebReception, isAwaited: Bool, limits: WebLimits) {
    taker = .unopened(open)
    self.isAwaited = isAwaited
    self.limits = limits
  }

  /// A short body.
  init(use: @escaping @Sendable ([UInt8]) -> WebReply, limits: WebLimits) {
    taker = .whole(use)
    isAwaited = false
    self.limits = limits
  }

  /// A piece came. False: too much was sent to one that has refused it.
  func came(_ bytes: [UInt8]) -> Bool {
    if case .refused = taker {
      drained += UInt64(bytes.count)
      return drained <= limits.drainedBytes
    }
    pieces.append(bytes)
    waiting += bytes.count
    return true
  }

  /// All of it came.
  func ended() { hasEnded = true }

  /// Whether nothing more is to be read for now.
  var isFull: Bool { waiting >= limits.waitingBytes }

  /// What is to be done next, by a thread that may wait; `done` must follow, but for `use` and
  /// `refuse`, which are the last.
  func next() -> Step? {
    guard !isBusy else { return nil }
    switch taker {
    case .unopened(let open):
      isBusy = true
      return .open(open)
    case .sink(let sink):
      if let piece = pieces.popFirst() {
        isBusy = true
        return .take(sink, piece)
      }
      guard hasEnded else { return nil }
      taker = .none
      return .finish(sink)
    case .whole(let use):
      guard hasEnded else { return nil }
      taker = .none
      return .use(use, pieces.reduce(into: []) { $0 += $1 })
    case .refused(let response):
      guard hasEnded || isAwaited else { return nil }
      taker = .none
      return .refuse(response)
    case .none: return nil
    }
  }

  /// The taker was found, or not. Returns: whether the other end waits to hear that it was.
  func opened(_ reception: WebReception) -> Bool {
    isBusy = false
    switch reception {
    case .sink(let sink):
      taker = .sink(sink)
      return isAwaited
    case .refused(let response):
      refuse(response)
      return false
    }
  }

  /// A piece was taken, or (`refusal`) not.
  func took(_ count: Int, _ refusal: WebResponse?) {
    isBusy = false
    waiting -= count
    if let refusal { refuse(refusal) }
  }

  private func refuse(_ response: WebResponse) {
    drained = UInt64(waiting)
    (pieces, waiting) = ([], 0)
    taker = .refused(response)
  }

  /// The connection is gone. Returns: who has to hear that the rest will not come; nil where nobody
  /// has to, or not yet, because it is at something: then this is to be called behind that.
  func abandon() -> (any WebSink)? {
    isAbandoned = true
    guard !isBusy, case .sink(let sink) = taker else { return nil }
    taker = .none
    return sink
  }
}
