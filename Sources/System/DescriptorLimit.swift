import Glibc

/// How many descriptors this process may have open at a time (RLIMIT_NOFILE).
package enum DescriptorLimit {
  /// More is of no use here, and libwebsockets makes tables of that length.
  package static let most = 65_536

  /// What holds now.
  package static var current: Int { min(clamped(read().rlim_cur), most) }

  /// Raises the soft limit as far as the hard one, or `most`, allows; never lowers it. Call first
  /// in `main`. Where the system refuses, what held before still holds.
  package static func raise() {
    var limit = read()
    let wanted = rlim_t(min(clamped(limit.rlim_max), most))
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private static func read() -> rlimit {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit
  }

  /// RLIM_INFINITY is the highest number of all.
  private static func clamped(_ value: rlim_t) -> Int { Int(clamping: value) }
}
