import CWebSockets
import Glibc
import Logging
import System

/// The bulk plane of a server, and what is refused. The answers are libwebsockets': -1 closes.
extension HubServer {
  /// Bytes came on a plain socket: the head of a request, then frames.
  func receiveRaw(
    _ connection: ServerConnection, _ socket: OpaquePointer, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    switch connection.role {
    case .bulkHead(var head):
      // libwebsockets gives each connection some time, anew after a TLS handshake. The clocks of
      // this module watch this one.
      lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
      let progress = head.feed(input)
      connection.role = .bulkHead(head)
      switch progress {
      case .part: return 0
      case .tooLong: return refuse(connection, socket, "431 Request Header Fields Too Large")
      case .complete(let lines, let rest):
        open(connection, socket, BulkRequest(lines: lines))
        if rest == 0 { return 0 }
        return receiveRaw(connection, socket, UnsafeRawBufferPointer(rebasing: input.suffix(rest)))
      }
    case .bulk(let stream, .up): return receiveFrames(connection, stream, input)
    // A reader has nothing to say, and one that was refused nothing that counts.
    case .bulk(_, .down), .refused, .lingering: return 0
    case .fresh, .hello, .http, .control, .ending: return -1
    }
  }

  /// The socket takes a write.
  func writeBulk(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    switch connection.role {
    case .bulk(let stream, _):
      guard let sent = stream.writable(now: MonotonicClock.now) else { return -1 }
      noteChoked(connection, socket, stream.isChoked)
      if sent > 0 { handler?.bulkSent(connection.id, bytes: sent) }
      return 0
    case .refused(let response):
      guard loop.scratch.write([response], to: socket, as: LWS_WRITE_HTTP) else { return -1 }
      shutdown(lws_get_socket_fd(socket), Int32(SHUT_WR))
      connection.role = .lingering(until: MonotonicClock.now + limits.closeTime)
      return 0
    case .bulkHead, .lingering: return 0
    case .fresh, .hello, .http, .control, .ending: return -1
    }
  }

  /// Has a refusal written.
  func refuse(
    _ connection: ServerConnection, _ socket: OpaquePointer, _ status: String
  ) -> Int32 {
    budget.log(
      .info, "refused requests", "refusing a request of \(peerAddress(socket)): \(status)")
    connection.role = .refused(response: HTTPResponse.refusal(status))
    lws_callback_on_writable(socket)
    return 0
  }

  /// Writes a refusal where libwebsockets speaks HTTP, and closes.
  func writeRefusal(_ connection: ServerConnection, _ socket: OpaquePointer) -> Int32 {
    if case .refused(let response) = connection.role {
      _ = loop.scratch.write([response], to: socket, as: LWS_WRITE_HTTP)
    }
    connection.role = .ending
    return -1
  }

  private func open(
    _ connection: ServerConnection, _ socket: OpaquePointer, _ request: BulkRequest
  ) {
    guard let direction = request.direction else {
      _ = refuse(connection, socket, "404 Not Found")
      return
    }
    let grant = request.ticket.flatMap {
      handler?.bulkTicket($0, direction: direction, id: connection.id)
    }
    guard let grant else {
      _ = refuse(connection, socket, "403 Forbidden")
      return
    }
    let stream = BulkStream(
      socket: socket, on: loop, pipe: nil, head: direction == .down ? HTTPResponse.stream : nil,
      tags: grant.tags, limits: limits, now: MonotonicClock.now)
    connection.role = .bulk(stream, direction)
    connection.farewell = .bulk
    admitted(connection.id)
  }

  private func receiveFrames(
    _ connection: ServerConnection, _ stream: BulkStream, _ input: UnsafeRawBufferPointer
  ) -> Int32 {
    do throws(FrameAssembler.Fault) {
      try stream.receive(input, now: MonotonicClock.now) { frame in
        guard connection.bulk != nil else { return }
        handler?.bulkReceived(connection.id, frame: frame)
      }
      return connection.bulk == nil ? -1 : 0
    } catch {
      budget.log(
        .warning, "broken streams",
        "closing a bulk stream of \(peerAddress(stream.socket)): \(error)")
      connection.role = .ending
      return -1
    }
  }
}

/// The numeric address of the other end.
func peerAddress(_ socket: OpaquePointer) -> String {
  var text = [CChar](repeating: 0, count: 64)
  lws_get_peer_simple(socket, &text, text.count)
  return shownAddress(
    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
}

/// What stands for the address of a peer that cannot be asked for it any more.
let goneAddress = "a peer that is gone"

/// The address in what libwebsockets says of a peer, which may be the text of an error.
package func shownAddress(_ address: String) -> String {
  if address.isEmpty || address.hasPrefix("getpeername") { return goneAddress }
  // A socket that takes both families shows IPv4 as IPv6 (RFC 4291, 2.5.5.2); people know it as
  // IPv4.
  let mapped = "::ffff:"
  return address.hasPrefix(mapped) && address.contains(".")
    ? String(address.dropFirst(mapped.count)) : address
}
