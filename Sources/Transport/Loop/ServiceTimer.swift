import CWebSockets
import Glibc

/// One timer of a service loop. Service thread only.
final class ServiceTimer {
  private let context: OpaquePointer
  private let fired: () -> Void
  // SAFETY: allocated in init, taken off the loop's list and freed in deinit, never replaced.
  private let raw: UnsafeMutablePointer<cws_timer>

  /// A timer that is not set. `fired` is called on the service thread.
  init(context: OpaquePointer, fired: @escaping () -> Void) {
    self.context = context
    self.fired = fired
    raw = .allocate(capacity: 1)
    raw.initialize(to: cws_timer())
    raw.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    lws_sul_schedule(context, 0, &raw.pointee.sul, nil, -1)
    raw.deallocate()
  }

  /// Fires once after `delay`, replacing an earlier setting; nil cancels.
  func set(after delay: Duration?) {
    var microseconds: lws_usec_t = -1
    if let delay {
      let (seconds, attoseconds) = delay.components
      microseconds = max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
    lws_sul_schedule(context, 0, &raw.pointee.sul, timerCallback, microseconds)
  }

  fileprivate func callback() { fired() }
}

private func timerCallback(_ sul: UnsafeMutablePointer<lws_sorted_usec_list_t>?) {
  guard let sul else { return }
  // SAFETY: `sul` is the first member of a cws_timer, whose owner lives while it is scheduled.
  let timer = UnsafeRawPointer(sul).assumingMemoryBound(to: cws_timer.self)
  guard let owner = timer.pointee.owner else { return }
  Unmanaged<ServiceTimer>.fromOpaque(owner).takeUnretainedValue().callback()
}
