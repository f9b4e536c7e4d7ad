import Glibc
import Hostile
import Protocol
import System
import Testing

extension Adversity {
  /// Somebody sits on the wire between a member and its hub, a member himself perhaps: of what
  /// passes he changes, repeats and takes nothing unseen. (S29)
  @Suite struct FrameTagsOnTheWire {
    enum Deed: CaseIterable {
      case change, again, drop
    }

    @Test(arguments: Deed.allCases) func whatPassesIsNotMeddledWithUnseen(deed: Deed) throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--tag-frames"])
        let content = Samples.bytes(3 << 20)
        try Files.write(host.path("file"), content)
        let done = Locked(0)
        let wire = try Wire(fixture, to: hub) { FrameMeddler(deed, done) }
        let guest = try fixture.member("guest", of: wire.address, approvedBy: host)
        try fixture.waitFor(guest.path("file"))
        #expect(try Files.read(guest.path("file")) == content)
        #expect(done.withLock { $0 } > 0)
        // Where the cut leaves a length that no frame has, that is what is said; where what is
        // missing was the last of all, its stream is silent until it is dead.
        if deed == .drop { return }
        try eventually("it is said") {
          let log = try Files.text(guest.log)
          return log.contains("somebody on the way changes what passes")
            || log.contains("a frame cannot have")
        }
      }
    }

    /// Who saw a ticket pass and is quicker with it speaks in nobody's name.
    @Test func aSeizedTicketGainsNothing() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host(["--tag-frames"])
        let seized = Monitor<[UInt8]?>(nil)
        let wire = try Wire(fixture, to: hub) { TicketThief(seized) }
        let guest = try fixture.member("guest", of: wire.address, approvedBy: host)
        try Files.write(guest.path("theirs"), Samples.bytes(400_000))
        guard let head = seized.wait(timeout: patience, for: { $0 }) else {
          throw NeverHappened(description: "no ticket passed")
        }
        let thief = try Socket.connected(to: hub)
        try thief.send(head)
        let key = LeafKey(
          owner: PublicID(1), entry: RandomID(high: 1, low: 1), version: RandomID(high: 1, low: 2),
          scale: Limits.leafScale, generation: 1, index: 0)
        try thief.send(BulkFrame.header(key, payload: 100) + [UInt8](repeating: 7, count: 116))
        #expect(thief.isClosedByPeer())
        // Once nobody steals any more, all is as it should be.
        seized.update { $0 = [] }
        #expect(try Files.read(host.path("theirs")) == Samples.bytes(400_000))
      }
    }
  }
}

/// Lets the first frames of a downward stream pass, then does something to one.
private final class FrameMeddler: WireTap {
  private struct State {
    var isDown = false
    var bytes = 0
    var last: [UInt8] = []
  }

  private let deed: Adversity.FrameTagsOnTheWire.Deed
  private let done: Locked<Int>
  private let state = Locked(State())

  init(_ deed: Adversity.FrameTagsOnTheWire.Deed, _ done: Locked<Int>) {
    self.deed = deed
    self.done = done
  }

  func up(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.starts(with: Array("GET /bulk/down".utf8)) { state.withLock { $0.isDown = true } }
    return bytes
  }

  func down(_ bytes: [UInt8]) -> [UInt8] {
    state.withLock { state in
      guard state.isDown else { return bytes }
      state.bytes += bytes.count
      guard state.bytes > 500_000, done.withLock({ $0 }) == 0 else { return bytes }
      done.withLock { $0 += 1 }
      switch deed {
      case .change:
        var changed = bytes
        changed[bytes.count / 2] ^= 1
        return changed
      case .again: return bytes + bytes
      case .drop: return Array(bytes.dropFirst(bytes.count / 2))
      }
    }
  }
}

/// Keeps the first request for an upward stream for itself.
private final class TicketThief: WireTap {
  private let seized: Monitor<[UInt8]?>

  init(_ seized: Monitor<[UInt8]?>) { self.seized = seized }

  func up(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.starts(with: Array("POST /bulk/up".utf8)) else { return bytes }
    return seized.update { seized in
      if seized != nil { return bytes }
      seized = bytes
      return []
    }
  }

  func down(_ bytes: [UInt8]) -> [UInt8] { bytes }
}
