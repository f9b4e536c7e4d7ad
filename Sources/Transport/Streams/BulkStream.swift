import CWebSockets
import DequeModule

/// One byte stream of the bulk plane, at either end: cuts what arrives into frames, queues what is
/// to be sent, says that it is alive. Service thread only.
final class BulkStream {
  /// Frames below this length are gathered into one write.
  static let smallFrame = 32768
  /// The most that is gathered into one write.
  static let gatherLimit = 131_072

  /// What is written in one turn: as much as is read in one. Whoever writes more than it reads
  /// fills the queues of a peer that sends back what it gets.
  private static let turnLimit = ServiceProtocols.bufferSize

  /// Bytes as they are: what the C headers also call LWS_WRITE_RAW.
  private static let writeKind = LWS_WRITE_HTTP

  /// The socket.
  let socket: OpaquePointer
  /// Bytes that wait to be written.
  private(set) var queuedBytes = 0
  private unowned let loop: ServiceLoop
  private let pipe: TLSPipe?
  private let limits: TransportLimits
  private var assembler: FrameAssembler
  private var head: [UInt8]?
  private var queue: Deque<[UInt8]> = []
  /// Marks of what is sent; nil where nothing is marked.
  private var sentTags: TagSequence?
  private var lastHeard: Duration
  private var lastSent: Duration
  /// Bytes that libwebsockets took but the kernel has not: reported when the rest has gone.
  private var unreported = 0

  /// A stream that has just been opened; `head` is written before anything else. `pipe` is its TLS,
  /// if libwebsockets does not do it: what is received has passed it already. `tags`: of its
  /// frames, whichever end sends them.
  init(
    socket: OpaquePointer, on loop: ServiceLoop, pipe: TLSPipe?, head: [UInt8]?,
    tags: (any FrameTags)?, limits: TransportLimits, now: Duration
  ) {
    self.socket = socket
    self.loop = loop
    self.pipe = pipe
    self.limits = limits
    self.head = head
    sentTags = tags.map { TagSequence($0) }
    assembler = FrameAssembler(maxFrame: limits.maxFrame, tags: tags.map { TagSequence($0) })
    lastHeard = now
    lastSent = now
    BulkSocket.prepare(lws_get_socket_fd(socket))
    if head != nil { lws_callback_on_writable(socket) }
  }

  /// Whether the head has been written.
  var isHeadSent: Bool { head == nil }

  /// Queues a frame. False when more waits than ever should.
  func send(_ frame: [UInt8]) -> Bool {
    precondition(
      FrameEnvelope.isValid(frame, limit: limits.maxFrame), "a frame begins with its true length")
    if queue.isEmpty, isHeadSent { loop.writeSoon(socket) }
    enqueue(frame)
    return queuedBytes <= limits.bulkQueueBytes
  }

  private func enqueue(_ frame: [UInt8]) {
    queue.append(frame)
    queuedBytes += frame.count
    guard let tag = sentTags?.next(frame) else { return }
    // Beside the frame, not behind it in one array: that is shared with others who wait for it.
    queue.append(tag)
    queuedBytes += tag.count
  }

  /// Takes what arrived; calls `deliver` for each frame that says something.
  func receive(
    _ bytes: UnsafeRawBufferPointer, now: Duration, deliver: (consuming [UInt8]) -> Void
  ) throws(FrameAssembler.Fault) {
    lastHeard = now
    try assembler.feed(bytes) { (frame: consuming [UInt8]) in
      if !FrameEnvelope.isKeepAlive(frame) { deliver(frame) }
    }
  }

  /// Whether the peer, which sends keep-alives on this stream, has been silent too long.
  func isSilent(now: Duration) -> Bool { now - lastHeard >= limits.deadAfter }

  /// Queues a keep-alive frame when nothing was sent for long.
  func keepAlive(now: Duration) {
    guard isHeadSent, queue.isEmpty, now - lastSent >= limits.keepAliveAfter else { return }
    enqueue(FrameEnvelope.keepAlive)
    lws_callback_on_writable(socket)
  }

  /// The socket takes a write. Nil when it died; otherwise the bytes of frames that reached the
  /// kernel since the last call.
  func writable(now: Duration) -> Int? {
    if isChoked {
      lws_callback_on_writable(socket)
      return 0
    }
    var taken = unreported
    unreported = 0
    var turn = 0
    if let head {
      self.head = nil
      guard put([head]) else { return nil }
    } else {
      while !queue.isEmpty, unreported == 0, turn < Self.turnLimit {
        lastSent = now
        let written = writeFrames()
        guard written > 0 else { return nil }
        queuedBytes -= written
        turn += written
        if isChoked { unreported = written } else { taken += written }
      }
    }
    if unreported > 0 || !queue.isEmpty { lws_callback_on_writable(socket) }
    return taken
  }

  /// Whether libwebsockets still has bytes that the kernel did not take.
  var isChoked: Bool { lws_partial_buffered(socket) != 0 }

  /// One large frame as it lies, or several small ones gathered. 0 when the socket died.
  private func writeFrames() -> Int {
    let first = queue[0]
    if first.count >= Self.smallFrame || queue.count == 1 {
      queue.removeFirst()
      if pipe != nil { return put([first]) ? first.count : 0 }
      // SAFETY: outside WebSockets `lws_write` only reads what it is given.
      let written = first.withUnsafeBufferPointer {
        lws_write(socket, UnsafeMutablePointer(mutating: $0.baseAddress), $0.count, Self.writeKind)
      }
      return written >= first.count ? first.count : 0
    }
    var count = 0
    var bytes = 0
    while count < queue.count, queue[count].count < Self.smallFrame,
      bytes + queue[count].count <= Self.gatherLimit
    {
      bytes += queue[count].count
      count += 1
    }
    guard put(queue[..<count]) else { return 0 }
    queue.removeFirst(count)
    return bytes
  }

  private func put(_ pieces: some Collection<[UInt8]>) -> Bool {
    guard let pipe else { return loop.scratch.write(pieces, to: socket, as: Self.writeKind) }
    return pieces.allSatisfy { pipe.seal($0) } && pipe.flush(to: socket)
  }
}
