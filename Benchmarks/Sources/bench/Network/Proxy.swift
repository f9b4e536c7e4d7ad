import Glibc

/// A network between two places: a TCP proxy that passes on no more than a rate, shared by all of
/// its connections, and everything later by a delay. It stands in for a kernel that can do this
/// itself. Making a connection takes no time.
// SAFETY: what is not constant is used under `lock`, or by the thread alone.
final class Proxy: @unchecked Sendable {
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  /// Listening sockets, with the ports that they lead to.
  private var entrances: [(listener: Int32, port: UInt16)] = []
  private var isOver = false
  /// Towards the ports, and back.
  private var links: [Link]
  /// A pipe: a byte in it wakes the thread.
  private let wake: (reading: Int32, writing: Int32)
  private var thread: Worker?
  /// Of the thread alone.
  private var wires: [Wire] = []
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// Starts it. `rate`: bytes per second each way, nil for no limit; `roundTrip`: seconds.
  init(rate: Double?, roundTrip: Double, _ scratch: Scratch) throws {
    lock = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    links = [Link](repeating: Link(rate: rate, delay: roundTrip / 2), count: 2)
    var ends: [Int32] = [0, 0]
    try checked("pipe") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
    wake = (reading: ends[0], writing: ends[1])
    thread = try Worker { [unowned self] in try run() }
    scratch.atEnd { self.stop() }
  }

  deinit {
    close(wake.reading)
    close(wake.writing)
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// A port that leads to another one through this network.
  func entrance(to port: UInt16) throws -> UInt16 {
    let (listener, entrance) = try Loopback.listener()
    locked { entrances.append((listener, port)) }
    wakeUp()
    return entrance
  }

  /// Bytes that were carried towards the ports.
  var carriedIn: Int { locked { links[0].carried } }

  private func stop() {
    locked { isOver = true }
    wakeUp()
    do { try thread?.join() } catch { complain("proxy: \(error)") }
    for (listener, _) in entrances { close(listener) }
    for wire in wires where wire.link == 0 { hangUp(wire) }
  }

  private func run() throws {
    while !locked({ isOver }) {
      let entrances = locked { self.entrances }
      var events = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
      events += entrances.map { pollfd(fd: $0.listener, events: Int16(POLLIN), revents: 0) }
      let readers = interests(&events)
      var wait = pause()
      ppoll(&events, nfds_t(events.count), &wait, nil)
      var byte: UInt8 = 0
      while read(wake.reading, &byte, 1) > 0 {}
      for (index, entrance) in entrances.enumerated() where events[index + 1].revents != 0 {
        try accept(entrance)
      }
      move(readers.filter { events[$0.event].revents != 0 }.map(\.wire))
    }
  }

  /// Adds what the wires wait for. Returns: those that want to read, with their places.
  private func interests(_ events: inout [pollfd]) -> [(wire: Int, event: Int)] {
    var readers: [(wire: Int, event: Int)] = []
    let now = Clock.now
    let isReady = locked { links.map { $0.ready <= now } }
    let window = locked { links[0].window }
    for (index, wire) in wires.enumerated() {
      if wire.isBlocked {
        events.append(pollfd(fd: wire.to, events: Int16(POLLOUT), revents: 0))
      }
      guard isReady[wire.link], !wire.hasEnded, wire.queued < window else { continue }
      readers.append((index, events.count))
      events.append(pollfd(fd: wire.from, events: Int16(POLLIN), revents: 0))
    }
    return readers
  }

  /// How long nothing needs doing by itself.
  private func pause() -> timespec {
    let now = Clock.now
    // When a full link takes more, and when something arrives.
    let times = locked { links.map(\.ready) }.filter { $0 > now } + wires.compactMap(\.due)
    let seconds = min(10, max(0, (times.min() ?? .infinity) - now))
    return timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
  }

  private func move(_ readable: [Int]) {
    var failed: Set<Int32> = []
    let now = Clock.now
    for index in readable {
      let isWell = locked {
        wires[index].take(&buffer, &links[wires[index].link], now: now)
      }
      if !isWell { failed.insert(wires[index].from) }
    }
    for index in wires.indices where !wires[index].isDone {
      if !wires[index].deliver(now: Clock.now) { failed.insert(wires[index].from) }
    }
    // The two wires of a connection are neighbours.
    var kept: [Wire] = []
    for pair in stride(from: 0, to: wires.count, by: 2) {
      let (one, other) = (wires[pair], wires[pair + 1])
      if one.isDone && other.isDone || failed.contains(one.from) || failed.contains(other.from) {
        hangUp(one)
      } else {
        kept += [one, other]
      }
    }
    // Another one is first the next time.
    wires = Array(kept.dropFirst(2) + kept.prefix(2))
  }

  private func accept(_ entrance: (listener: Int32, port: UInt16)) throws {
    let from = try Loopback.accepted(entrance.listener)
    guard let to = try? Loopback.connected(to: entrance.port) else {
      close(from)
      return
    }
    try Loopback.makeImmediate(from)
    try Loopback.makeImmediate(to)
    wires += [Wire(from: from, to: to, link: 0), Wire(from: to, to: from, link: 1)]
  }

  private func wakeUp() {
    var byte: UInt8 = 0
    _ = write(wake.writing, &byte, 1)
  }

  private func hangUp(_ wire: Wire) {
    close(wire.from)
    close(wire.to)
  }

  private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return try body()
  }
}
