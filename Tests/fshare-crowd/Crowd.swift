import CLinux
import Control
import Glibc
import Hostile
import Protocol
import System
import Transport

/// Many members of one hub in one process, each with a connection of its own, and one thread for
/// all.
final class Crowd {
  /// What became of connections since it was last asked.
  struct Ends {
    var refused = 0
    var turnedAway = 0
    var unreachable = 0
    var lost = 0
    /// What the hub said first.
    var reason: String?
  }

  let members: [CrowdMember]
  private(set) var ends = Ends()
  private var hub: CrowdHub
  private let poll: OwnedDescriptor
  private let orders: OwnedDescriptor
  /// Whether SIGUSR1 came.
  private var isOrdered = false
  private var comesBack = false
  private var events = [epoll_event](repeating: epoll_event(), count: 512)
  private var buffer = [UInt8](repeating: 0, count: 65_536)
  private var lookedAt = Duration.zero
  private var changes: UInt64 = 0

  /// Members of the hub at this port of 127.0.0.1, none of them connected.
  init(_ count: Int, of port: UInt16, addresses: Int) throws {
    members = (0..<count).map { CrowdMember($0) }
    let tls = ClientTLS()
    hub = CrowdHub(port: port, addresses: addresses, tls: tls)
    poll = OwnedDescriptor(
      try retryingOnInterrupt("epoll") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGUSR1)
    sigprocmask(SIG_BLOCK, &set, nil)
    orders = OwnedDescriptor(
      try retryingOnInterrupt("signalfd") { signalfd(-1, &set, Int32(SFD_CLOEXEC)) })
    try watch(orders.raw, as: .max, for: EPOLLIN.rawValue)
    tls.accepts = { [unowned self] key in
      hub.key = hub.key ?? key
      return hub.key == key
    }
  }

  /// Has each approved by the master with this state folder, so many at a time, and leave again.
  func admit(by master: String, atOnce: Int) throws {
    for start in stride(from: 0, to: members.count, by: atOnce) {
      let part = members[start..<min(start + atOnce, members.count)]
      for member in part { try begin(member) }
      try serve("\(part.count) have numbers") { part.allSatisfy { $0.stage >= .waiting } }
      for member in part {
        guard let publicID = member.publicID else { continue }
        try approve(publicID, by: master)
        // What those hear who are in already is to be read meanwhile.
        try step(waiting: 0)
      }
      try serve("\(part.count) are in") { part.allSatisfy { $0.stage == .admitted } }
      for member in part {
        member.leave()
        _ = member.end(now: MonotonicClock.now, comesBack: false)
      }
    }
    ends = Ends()
  }

  /// The master hears of a number a moment after its owner does.
  private func approve(_ publicID: PublicID, by master: String) throws {
    let request = ControlRequest(command: "approve", arguments: ["\(publicID.value)"])
    let deadline = MonotonicClock.now + .seconds(30)
    while true {
      let answer = try ControlClient.call(stateFolder: master, request: request)
      if answer.status == 0 { return }
      guard MonotonicClock.now < deadline else {
        throw PeerFault("not approved: \(answer.message)")
      }
      try step(waiting: 5)
    }
  }

  /// Connects them all, and returns once all are live. Each has the list that the first one gets,
  /// as a member keeps it from one start to the next.
  func connect() throws {
    hub.asks = true
    comesBack = true
    let first = members[0]
    try begin(first)
    try serve("the first one is live") { first.stage == .live }
    for member in members.dropFirst() {
      member.place = first.place
      try begin(member)
    }
    try serve("all are live") { isComplete }
  }

  /// Whether all are live.
  var isComplete: Bool { members.allSatisfy { $0.stage == .live } }

  /// Returns once SIGUSR1 came.
  func waitForOrder() throws {
    try serve("an order", within: .seconds(3_600)) { isOrdered }
    isOrdered = false
  }

  /// One member changes the list. Returns: after how long each member showed it, sorted.
  func change() throws -> [Duration] {
    changes += 1
    let sender = members[0]
    let transfer = sender.newTransfer()
    let entry = Entry(
      id: RandomID(high: 77, low: changes),
      path: try SharePath(Array("crowd \(changes)".utf8)), kind: .file,
      version: RandomID(high: 77, low: changes), size: 10, modified: FileTime(seconds: 1),
      mode: 0o644)
    for member in members { member.await(transfer) }
    let start = MonotonicClock.now
    let said = ProposedChange.add([entry], reclaims: false).message(
      transfer, oldest: transfer.counter)
    guard sender.say(said) else { throw PeerFault("the change is not said") }
    try serve("all hear of it", within: .seconds(60)) {
      members.allSatisfy { $0.heardAt != nil }
    }
    return members.compactMap { $0.heardAt.map { $0 - start } }
  }

  /// Returns once connections were lost, and all are live again.
  func comeBack() throws {
    ends = Ends()
    try serve("the hub ends", within: .seconds(3_600)) { ends.lost > 0 }
    try serve("all are back", within: .seconds(600)) { isComplete }
  }

  /// Serves everybody until something holds.
  func serve(
    _ what: String, within time: Duration = .seconds(600), until holds: () -> Bool
  ) throws {
    let deadline = MonotonicClock.now + time
    while !holds() {
      guard MonotonicClock.now < deadline else { throw PeerFault("not in time: \(what); \(state)") }
      // Whether it holds costs a look at each: not after each single event.
      let until = MonotonicClock.now + .milliseconds(20)
      repeat { try step(waiting: 5) } while MonotonicClock.now < until
    }
  }

  private var state: String {
    var counts: [CrowdMember.Stage: Int] = [:]
    for member in members { counts[member.stage, default: 0] += 1 }
    return "\(counts) \(ends)"
  }

  private func begin(_ member: CrowdMember) throws {
    try member.begin(hub, now: MonotonicClock.now)
    guard let socket = member.socket else { return }
    try watch(
      socket.descriptor.raw, as: UInt64(member.index),
      for: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue)
  }

  private func watch(_ descriptor: Int32, as number: UInt64, for kinds: UInt32) throws {
    var event = epoll_event(events: kinds, data: epoll_data_t(u64: number))
    try retryingOnInterrupt("watch a socket") {
      epoll_ctl(poll.raw, EPOLL_CTL_ADD, descriptor, &event)
    }
  }

  /// Serves what happens next, within so many ms.
  private func step(waiting time: Int32) throws {
    let count = epoll_wait(poll.raw, &events, Int32(events.count), time)
    for event in events.prefix(Int(max(0, count))) {
      guard event.data.u64 < UInt64(members.count) else {
        var info = signalfd_siginfo()
        _ = read(orders.raw, &info, MemoryLayout<signalfd_siginfo>.size)
        isOrdered = true
        continue
      }
      let member = members[Int(event.data.u64)]
      if !member.ready(hub, buffer: &buffer) { end(member) }
    }
    let now = MonotonicClock.now
    guard now - lookedAt >= .milliseconds(20) else { return }
    lookedAt = now
    for member in members {
      guard let due = member.due, due <= now else { continue }
      if member.stage == .away { try begin(member) } else { end(member, isLate: true) }
    }
  }

  private func end(_ member: CrowdMember, isLate: Bool = false) {
    switch member.end(now: MonotonicClock.now, isLate: isLate, comesBack: comesBack) {
    case .refused(let refused):
      ends.refused += 1
      ends.reason = ends.reason ?? refused.reason
    case .turnedAway: ends.turnedAway += 1
    case .unreachable: ends.unreachable += 1
    case .lost: ends.lost += 1
    }
  }
}
