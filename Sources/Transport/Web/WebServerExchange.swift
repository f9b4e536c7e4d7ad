import CWebSockets
import Glibc
import System

/// From a request to its answer.
extension WebServer {
  /// The head of a request is here.
  func began(_ connection: WebConnection, _ socket: OpaquePointer) -> Int32 {
    connection.request += 1
    connection.heardAt = MonotonicClock.now
    guard case .idle = connection.phase else { return -1 }
    guard let request = WebRequest(socket), let handler else {
      connection.isHead = false
      connection.closes = true
      return follow(connection, .response(WebResponse(status: 405)), nil)
    }
    connection.isHead = request.method == .head
    connection.closes = false
    if let refusal = Self.refusal(of: request) {
      // What is the body and what the next request cannot be told.
      connection.closes = true
      return follow(connection, .response(refusal), nil)
    }
    connection.phase = .thinking
    return follow(connection, handler.reply(to: request), request)
  }

  private static func refusal(of request: WebRequest) -> WebResponse? {
    guard request.method == .post || request.method == .put else { return nil }
    return request.isChunked || request.contentLength == nil ? WebResponse(status: 411) : nil
  }

  /// Does what is to become of a request. `head`: of the request, as long as its body was not read.
  @discardableResult
  private func follow(
    _ connection: WebConnection, _ reply: WebReply, _ head: WebRequest?
  ) -> Int32 {
    let length = head?.contentLength ?? 0
    switch reply {
    case .response(let response):
      if length > 0, let head { return refuse(connection, response, head) }
      answer(connection, response)
    case .stream(let response, let source, let count):
      if length > 0 { connection.closes = true }
      let bytes = response.head(length: count, closes: connection.closes)
      if connection.isHead {
        run(connection) {
          source.close()
        } then: { _, _ in
        }
        begin(connection, WebAnswer(head: bytes, body: []))
      } else {
        begin(connection, WebAnswer(head: bytes, source: source, length: count))
      }
    case .work(let work):
      connection.phase = .thinking
      run(connection, work) { server, reply in server.follow(connection, reply, head) }
    case .body(let limit, let use):
      guard length <= UInt64(limit) else {
        return refuse(connection, WebResponse(status: 413), head)
      }
      receive(connection, WebUpload(use: use, limits: limits), isEmpty: length == 0)
    case .receive(let limit, let open):
      guard length <= limit else { return refuse(connection, WebResponse(status: 413), head) }
      let upload = WebUpload(
        open: open, isAwaited: head?.expectsContinue == true, limits: limits)
      receive(connection, upload, isEmpty: length == 0)
    }
    return 0
  }

  /// Answers a request whose body nobody wants: behind the body, for browsers do not listen before
  /// they have sent it.
  private func refuse(
    _ connection: WebConnection, _ response: WebResponse, _ head: WebRequest?
  ) -> Int32 {
    let isAwaited = head?.expectsContinue == true
    if isAwaited { connection.closes = true }
    receive(
      connection,
      WebUpload(open: { .refused(response) }, isAwaited: isAwaited, limits: limits),
      isEmpty: false)
    return 0
  }

  // MARK: The body

  private func receive(_ connection: WebConnection, _ upload: WebUpload, isEmpty: Bool) {
    connection.phase = .receiving(upload)
    if isEmpty { upload.ended() }
    progress(connection, upload)
  }

  func bodyCame(
    _ connection: WebConnection, _ socket: OpaquePointer, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    guard case .receiving(let upload) = connection.phase else { return 0 }
    connection.heardAt = MonotonicClock.now
    guard upload.came(Array(input)) else { return -1 }
    progress(connection, upload)
    return 0
  }

  func bodyEnded(_ connection: WebConnection) -> Int32 {
    guard case .receiving(let upload) = connection.phase else { return 0 }
    upload.ended()
    progress(connection, upload)
    return 0
  }

  private func progress(_ connection: WebConnection, _ upload: WebUpload) {
    guard case .receiving(let current) = connection.phase, current === upload else { return }
    if let socket = connection.socket {
      lws_rx_flow_control(socket, upload.isFull ? 0 : 1)
      // The clock of this server watches it.
      lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
    }
    guard let step = upload.next() else { return }
    switch step {
    case .open(let open):
      perform(open) { server, reception in
        if upload.opened(reception), let socket = connection.socket { server.goOn(socket) }
        server.goOn(with: upload, connection)
      }
    case .take(let sink, let bytes):
      perform {
        sink.take(bytes)
      } then: { server, refusal in
        upload.took(bytes.count, refusal)
        connection.heardAt = MonotonicClock.now
        server.goOn(with: upload, connection)
      }
    case .finish(let sink):
      connection.phase = .thinking
      run(connection) {
        sink.finish()
      } then: { server, response in
        server.answer(connection, response)
      }
    case .use(let use, let bytes):
      connection.phase = .thinking
      run(connection) {
        use(bytes)
      } then: { server, reply in
        server.follow(connection, reply, nil)
      }
    case .refuse(let response): answer(connection, response)
    }
  }

  private func goOn(with upload: WebUpload, _ connection: WebConnection) {
    if upload.isAbandoned { abandon(upload) } else { progress(connection, upload) }
  }

  /// RFC 9110, 15.2.1.
  private func goOn(_ socket: OpaquePointer) {
    var line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    _ = lws_write(socket, &line, line.count, LWS_WRITE_HTTP_HEADERS_CONTINUATION)
  }

  func abandon(_ upload: WebUpload) {
    guard let sink = upload.abandon() else { return }
    pool.run { sink.abandon() }
  }

  // MARK: The answer

  private func answer(_ connection: WebConnection, _ response: WebResponse) {
    let head = response.head(length: UInt64(response.body.count), closes: connection.closes)
    begin(connection, WebAnswer(head: head, body: connection.isHead ? [] : response.body))
  }

  private func begin(_ connection: WebConnection, _ answer: WebAnswer) {
    connection.phase = .answering(answer)
    connection.heardAt = MonotonicClock.now
    fetch(connection, answer)
    if let socket = connection.socket {
      lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
      lws_callback_on_writable(socket)
    }
  }

  /// Has the next piece of the content fetched, where there is room for it.
  func fetch(_ connection: WebConnection, _ answer: WebAnswer) {
    guard let source = answer.nextFetch(now: MonotonicClock.now) else { return }
    perform {
      try? source.next()
    } then: { server, piece in
      answer.fetched(piece, now: MonotonicClock.now)
      guard case .answering(let current) = connection.phase, current === answer,
        let socket = connection.socket
      else { return server.close(answer) }
      if answer.isBroken { return connection.end() }
      server.fetch(connection, answer)
      if answer.isWritable || answer.hasEnded { lws_callback_on_writable(socket) }
    }
  }

  func write(_ connection: WebConnection, _ socket: OpaquePointer) -> Int32 {
    guard case .answering(let answer) = connection.phase else { return 0 }
    guard answer.write(to: socket) else { return -1 }
    connection.heardAt = MonotonicClock.now
    if answer.isDone { return finished(connection, socket, answer) }
    fetch(connection, answer)
    if answer.isWritable { lws_callback_on_writable(socket) }
    return 0
  }

  private func finished(
    _ connection: WebConnection, _ socket: OpaquePointer, _ answer: WebAnswer
  ) -> Int32 {
    close(answer)
    connection.heardAt = MonotonicClock.now
    guard connection.closes else {
      connection.phase = .idle
      return lws_http_transaction_completed(socket) == 0 ? 0 : -1
    }
    // To close on what was not read yet would take the answer back.
    connection.phase = .lingering
    if loop.tls != nil { return -1 }
    shutdown(lws_get_socket_fd(socket), Int32(SHUT_WR))
    return 0
  }

  /// Lets the source of an answer go, once nobody asks it.
  func close(_ answer: WebAnswer) {
    guard let source = answer.release() else { return }
    pool.run { source.close() }
  }

  // MARK: What may wait

  /// Does something where waiting is allowed, then something with its result on the service
  /// thread, unless the connection has gone on to another request by then.
  private func run<Result: Sendable>(
    _ connection: WebConnection, _ work: @escaping @Sendable () -> Result,
    then: @escaping (WebServer, Result) -> Void
  ) {
    let request = connection.request
    perform(work) { server, result in
      guard connection.request == request, connection.socket != nil else { return }
      then(server, result)
    }
  }

  private func perform<Result: Sendable>(
    _ work: @escaping @Sendable () -> Result,
    then: @escaping (WebServer, Result) -> Void
  ) {
    let back = OnServiceThread(body: then)
    pool.run { [self] in
      let result = work()
      loop.perform { [self] in back.body(self, result) }
    }
  }
}

// SAFETY: made and called on the service thread; others only carry it.
private struct OnServiceThread<Result>: @unchecked Sendable {
  let body: (WebServer, Result) -> Void
}
