/// Programs whose `close` waits for the group, by the token that libfuse carries for interrupts.
/// Whoever takes a request out answers it.
struct ParkedCloses: Sendable {
  private var requests: [UInt64: Request] = [:]
  private var last: UInt64 = 0
  /// Those of which libfuse is just told what to call when their program is interrupted, and
  /// whether it was: it may call at once, and goes on with the request behind that.
  private var beingMadeKnown: [UInt64: Bool] = [:]

  /// A token for a request that will perhaps be parked.
  mutating func newToken() -> UInt64 {
    last += 1
    return last
  }

  mutating func park(_ request: Request, _ token: UInt64) {
    requests[token] = request
    beingMadeKnown[token] = false
  }

  /// Whether the program still waits.
  func waits(_ token: UInt64) -> Bool { requests[token] != nil }

  mutating func take(_ token: UInt64) -> Request? { requests.removeValue(forKey: token) }

  /// The program was interrupted. Returns: what to answer now.
  mutating func interrupt(_ token: UInt64) -> Request? {
    if beingMadeKnown[token] == nil { return take(token) }
    beingMadeKnown[token] = true
    return nil
  }

  /// libfuse knows what to call. Returns: what to answer, since it called already.
  mutating func isKnown(_ token: UInt64) -> Request? {
    beingMadeKnown.removeValue(forKey: token) == true ? take(token) : nil
  }
}
