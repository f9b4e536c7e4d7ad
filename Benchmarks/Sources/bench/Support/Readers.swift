/// Several that read at the same time.
enum Readers {
  /// Reads each file in a thread of its own. Returns: seconds until the last one is done.
  static func timeToRead(_ files: [(path: String, seed: UInt64)], size: Int) throws -> Double {
    let start = Clock.now
    let workers = try files.map { file in
      try Worker { _ = try Content.timeToRead(file.path, size: size, seed: file.seed) }
    }
    // All of them, whatever becomes of one.
    var failure: (any Error)?
    for worker in workers { do { try worker.join() } catch { failure = error } }
    if let failure { throw failure }
    return Clock.now - start
  }
}
