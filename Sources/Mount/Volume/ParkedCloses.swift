/// Programs whose `close` waits for the group, by the token that libfuse carries for interrupts.
/// Whoever takes a request out answers it.
struct ParkedCloses: Sendable {
  private var requests: [UInt64: Request] = [:]
  private var last: UInt64 = 0

  mutating func park(_ request: Request) -> UInt64 {
    last += 1
    requests[last] = request
    return last
  }

  mutating func take(_ token: UInt64) -> Request? { requests.removeValue(forKey: token) }
}
