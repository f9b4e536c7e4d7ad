import Core
import Protocol
import System

/// Has leaves read that nobody waits for, so that the disk cache gets them: some at a time, of one
/// file after the other. On one thread; answers come on any.
final class LeafReading {
  /// Bytes and reads under way at most.
  private static let bytesAhead = 8 << 20
  private static let readsAhead = 32
  /// Leaves of one read.
  private static let leavesAtOnce: UInt64 = 8
  /// Bytes that may wait for the disk: beyond that leaves would not be kept.
  private static let backlog = 16 << 20
  /// Streams of programs are numbered from 1 on.
  private static let firstStream: StreamID = 1 << 62

  private struct Progress {
    var bytes = 0
    var reads = 0
  }

  /// A file of which something is read.
  private final class File: Sendable {
    let content: Content
    let stream: StreamID
    /// Reads under way, and whether there will be more.
    let state = Locked((reads: 0, hasEnded: false, hasFailed: false))

    init(_ content: Content, _ stream: StreamID) {
      self.content = content
      self.stream = stream
    }
  }

  private let reading: RemoteReading
  private let cache: DiskCache
  private let isStopping: @Sendable () -> Bool
  private let progress = Monitor(Progress())
  private var file: File?
  private var nextStream = firstStream
  private(set) var hasAsked = false

  init(
    _ reading: RemoteReading, _ cache: DiskCache, isStopping: @escaping @Sendable () -> Bool
  ) {
    self.reading = reading
    self.cache = cache
    self.isStopping = isStopping
  }

  /// Reads leaves of a version: those whose bits are set, counted from `first` on. Blocks while
  /// much is under way.
  func read(_ leaves: UInt64, from first: UInt64, of content: Content) {
    let file = opened(content)
    var rest = leaves
    while rest != 0, !file.state.withLock({ $0.hasFailed }), !isStopping() {
      let start = UInt64(rest.trailingZeroBitCount)
      let run = min(UInt64((~(rest >> start)).trailingZeroBitCount), Self.leavesAtOnce)
      let mask: UInt64 = run == 64 ? .max : (1 << run) - 1
      rest &= ~(mask << start)
      let offset = (first + start) * UInt64(Limits.leaf)
      let length = min(run * UInt64(Limits.leaf), content.size - offset)
      ask(file, offset: offset, length: Int(length))
    }
  }

  /// Nothing more is read of the file that was read last.
  func endFile() {
    guard let file else { return }
    self.file = nil
    let isDone = file.state.withLock { state in
      state.hasEnded = true
      return state.reads == 0
    }
    if isDone { reading.close(file.stream) }
  }

  /// Waits for all that was asked for; not for its whole time where the thread is to end.
  func finish() {
    endFile()
    wait { $0.reads == 0 }
  }

  private func opened(_ content: Content) -> File {
    if let file { return file }
    let new = File(content, nextStream)
    nextStream += 1
    reading.open(content, as: new.stream)
    file = new
    return new
  }

  private func ask(_ file: File, offset: UInt64, length: Int) {
    wait { $0.reads < Self.readsAhead && $0.bytes + length <= Self.bytesAhead || $0.reads == 0 }
    if isStopping() { return }
    if cache.waitingBytes > Self.backlog { cache.settle() }
    hasAsked = true
    progress.withLock { progress in
      progress.reads += 1
      progress.bytes += length
    }
    file.state.withLock { $0.reads += 1 }
    let (reading, progress) = (reading, progress)
    reading.read(
      .keeper { failure in
        let isDone = file.state.withLock { state in
          state.reads -= 1
          if failure != nil { state.hasFailed = true }
          return state.reads == 0 && state.hasEnded
        }
        if isDone { reading.close(file.stream) }
        progress.update { progress in
          progress.reads -= 1
          progress.bytes -= length
        }
      }, token: reading.newToken(), of: file.stream, size: length, offset: Int64(offset))
  }

  /// Waits until something is so, or the thread is to end.
  private func wait(until isSo: (Progress) -> Bool) {
    while !isStopping() {
      if progress.wait(timeout: .milliseconds(200), for: { isSo($0) ? true : nil }) ?? false {
        return
      }
    }
  }
}
