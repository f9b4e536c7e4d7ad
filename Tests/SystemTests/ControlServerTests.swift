import Control
import System
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ControlServerTests {
  private let folder: ControlFolder

  init() throws { folder = try ControlFolder() }

  @Test func `a request is answered with the handler's report`() throws {
    let report = MembersReport(members: [
      MemberReport(
        publicID: 7, name: "laptop é \u{1B}[31m", system: "Linux", state: .waiting,
        presence: .away, isSelf: false, isMaster: false, entries: 3)
    ])
    try served { request in
      request.command == "members" ? .report(report) : .refused("what is \(request.command)?")
    } test: {
      let answer = try ControlClient.call(
        stateFolder: folder.path, request: ControlRequest(command: "members"))
      #expect(answer.status == 0)
      try #expect(answer.result?.decode(as: MembersReport.self) == report)
    }
  }

  @Test func `arguments arrive as they were typed, and a refusal says why`() throws {
    try served {
      .refused($0.arguments.joined(separator: "|"))
    } test: {
      let answer = try ControlClient.call(
        stateFolder: folder.path,
        request: ControlRequest(command: "approve", arguments: ["a b", "", "\u{0}\n\"ü"]))
      #expect(answer == .refused("a b||\u{0}\n\"ü"))
    }
  }

  @Test func `an answer of many megabytes arrives whole`() throws {
    let long = String(repeating: "0123456789abcdef", count: 500_000)
    try served { _ in
      .done(long)
    } test: {
      try #expect(ask() == .done(long))
    }
  }

  @Test func `an answer beyond the limit becomes a refusal that says so`() throws {
    let limit = ControlLimits.responseBytes
    try served { _ in
      .done(String(repeating: "x", count: limit))
    } test: {
      let answer = try ask()
      #expect(answer.status == 1)
      #expect(answer.message.contains("longer than \(limit)"))
    }
  }

  @Test func `an answer may come later, from another thread, and only the first counts`() throws {
    let later = Locked<JoinableThread?>(nil)
    let server = ControlServer(stateFolder: folder.path) { _, answer in
      let thread = try? Thread.start(name: "later") {
        answer(.done("first"))
        answer(.done("second"))
      }
      later.withLock { $0 = thread }
    }
    try server.start()
    defer { server.stop() }
    try #expect(ask() == .done("first"))
    later.withLock { $0?.join() }
  }

  @Test func `a handler that never answers costs its client the answer, not the wait`() throws {
    var limits = ControlLimits()
    limits.answerTimeout = .milliseconds(20)
    let server = ControlServer(stateFolder: folder.path, limits: limits) { _, _ in }
    try server.start()
    defer { server.stop() }
    try #expect(ask().status == 1)
  }

  @Test(arguments: [
    (5, "{bad}"), (2, "[]"), (2, "{}"), (4, "null"), (22, #"{"command":1,"args":1}"#),
    (34, #"{"command":"x","arguments":["y"]} trailing"#),
  ])
  func `a malformed request is refused`(length: UInt32, text: String) throws {
    try served { _ in
      .done()
    } test: {
      let client = try RawControlClient(folder)
      try client.send(length: length, text)
      try #expect(client.answer().contains("malformed"))
      try #expect(ask() == .done())
    }
  }

  @Test(arguments: [65537, 0xFFFF_FFFF] as [UInt32])
  func `a request that announces too many bytes is refused at its length`(_ length: UInt32) throws {
    try served { _ in
      .done()
    } test: {
      let client = try RawControlClient(folder)
      try client.send(length: length, "")
      try #expect(client.answer().contains("longer than 65536"))
      try #expect(ask() == .done())
    }
  }

  @Test func `a client refuses to send a request that is too long`() throws {
    let request = ControlRequest(
      command: "name", arguments: [String(repeating: "x", count: 65536)])
    #expect(throws: ControlError.self) {
      try ControlClient.call(stateFolder: folder.path, request: request)
    }
  }

  @Test func `slow clients do not block another, and are cut off`() throws {
    var limits = ControlLimits()
    limits.transferTimeout = .seconds(1)
    let server = ControlServer(
      stateFolder: folder.path, limits: limits, answeringWith: { _ in .done() })
    try server.start()
    defer { server.stop() }
    let silent = try RawControlClient(folder)
    let halting = try RawControlClient(folder)
    try halting.send([30, 0])
    try #expect(ask() == .done())
    try #expect(silent.answer() == "")
    try #expect(halting.answer() == "")
  }

  @Test func `clients beyond the limit wait for a place`() throws {
    var limits = ControlLimits()
    limits.connections = 2
    limits.transferTimeout = .seconds(1)
    let server = ControlServer(
      stateFolder: folder.path, limits: limits, answeringWith: { _ in .done() })
    try server.start()
    defer { server.stop() }
    let first = try RawControlClient(folder)
    let second = try RawControlClient(folder)
    try #expect(ask() == .done())
    try #expect(first.answer() == "")
    try #expect(second.answer() == "")
  }

  @Test func `a client that leaves before its answer costs nothing`() throws {
    let asked = Monitor<[@Sendable (ControlResponse) -> Void]>([])
    let server = ControlServer(stateFolder: folder.path) { request, answer in
      if request.command == "slow" {
        asked.update { $0.append(answer) }
      } else {
        answer(.done())
      }
    }
    try server.start()
    defer { server.stop() }
    do {
      let client = try RawControlClient(folder)
      try client.send(length: 33, #"{"command":"slow","arguments":[]}"#)
      let answer = asked.wait { $0.first }
      try #require(answer != nil)
    }
    try #expect(ask() == .done())
    asked.withLock { $0.first }?(.done("too late"))
    try #expect(ask() == .done())
  }

  private func ask() throws -> ControlResponse {
    try ControlClient.call(stateFolder: folder.path, request: ControlRequest(command: "status"))
  }

  private func served(
    by handler: @escaping @Sendable (ControlRequest) -> ControlResponse, test: () throws -> Void
  ) throws {
    let server = ControlServer(stateFolder: folder.path, answeringWith: handler)
    try server.start()
    defer { server.stop() }
    try test()
  }
}
