/// What becomes of a request.
package enum WebReply: Sendable {
  /// Its answer.
  case response(WebResponse)
  /// The head of its answer; the content comes piece by piece. `length`: its bytes, nil where
  /// nobody knows before its end.
  case stream(WebResponse, any WebSource, length: UInt64?)
  /// It takes a while: done on a thread that may wait.
  case work(@Sendable () -> WebReply)
  /// Its body is needed, of `limit` bytes at most; what follows may wait.
  case body(limit: Int, @Sendable ([UInt8]) -> WebReply)
  /// Its body is taken piece by piece by what `open` makes. `limit`: bytes that it may have.
  case receive(limit: UInt64, open: @Sendable () -> WebReception)
}

/// Whether a body is taken.
package enum WebReception: Sendable {
  case sink(any WebSink)
  case refused(WebResponse)
}

/// A piece of a content.
package enum WebPiece: Sendable {
  case bytes([UInt8])
  /// Ask again in a while.
  case wait(Duration)
  case end
}

/// A content that is fetched as it is sent. Called by one thread at a time, which may wait.
package protocol WebSource: Sendable {
  /// The next piece. Throws where the content cannot be finished: the connection is cut, so that
  /// nobody takes what came for all of it.
  func next() throws -> WebPiece
  /// Nothing more is asked for. Called once.
  func close()
}

/// What takes a body. Called by one thread at a time, which may wait.
package protocol WebSink: Sendable {
  /// Takes the next piece. Returns: nil, or why nothing more is taken.
  func take(_ bytes: [UInt8]) -> WebResponse?
  /// All of it has come. Called at most once, and nothing after it.
  func finish() -> WebResponse
  /// The rest will not come. Called at most once, and nothing after it.
  func abandon()
}

/// Who answers the requests of a web server. Called on its service thread; must not wait.
package protocol WebHandler: AnyObject, Sendable {
  /// What becomes of a request.
  func reply(to request: WebRequest) -> WebReply
  /// Whether a request may open a WebSocket.
  func mayOpenSocket(_ request: WebRequest) -> Bool
  func socketOpened(_ id: WebSocketID)
  func socketReceived(_ id: WebSocketID, _ text: String)
  func socketClosed(_ id: WebSocketID)
}

/// Names a WebSocket of a server, for its whole life.
package typealias WebSocketID = UInt64
