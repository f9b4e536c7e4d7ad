import Glibc

/// A thread that may fail.
final class Worker {
  private var handle = pthread_t()
  private let job: Job

  /// Starts it.
  init(_ body: @escaping @Sendable () throws -> Void) throws {
    job = Job(body)
    // SAFETY: one reference is handed to the thread, which takes it over in `workerMain`.
    let argument = Unmanaged.passRetained(job)
    guard pthread_create(&handle, nil, workerMain, argument.toOpaque()) == 0 else {
      argument.release()
      throw Failure("cannot start a thread")
    }
  }

  /// Waits for its end. Throws what it failed with.
  func join() throws {
    pthread_join(handle, nil)
    if let failure = job.failure { throw failure }
  }
}

// SAFETY: `failure` is written by the thread before its end and read after the join.
private final class Job: @unchecked Sendable {
  let body: @Sendable () throws -> Void
  var failure: (any Error)?

  init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }

  func run() {
    do { try body() } catch { failure = error }
  }
}

private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  // SAFETY: `argument` is the reference that `Worker` retained for this thread.
  Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
