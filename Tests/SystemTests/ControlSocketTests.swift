import Control
import System
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ControlSocketTests {
  @Test func `where nothing runs, the error says what to do`() throws {
    let folder = try ControlFolder()
    let text =
      "no fsharefs is running with the state folder \(folder.path) "
      + "(start one with: fsharefs MOUNTPOINT)"
    #expect(throws: ControlError.notRunning(stateFolder: folder.path)) { try ask(folder.path) }
    #expect(ControlError.notRunning(stateFolder: folder.path).description == text)
    #expect(throws: ControlError.notRunning(stateFolder: folder.path + "/none")) {
      try ask(folder.path + "/none")
    }
  }

  @Test func `a socket that a dead process left means that nothing runs`() throws {
    let folder = try ControlFolder()
    try folder.leaveStaleSocket()
    #expect(throws: ControlError.notRunning(stateFolder: folder.path)) { try ask(folder.path) }
  }

  @Test func `a socket that a dead process left is replaced`() throws {
    let folder = try ControlFolder()
    try folder.leaveStaleSocket()
    try served(folder) { try #expect(ask(folder.path) == .done()) }
  }

  @Test func `a live socket is not taken away from its process`() throws {
    let folder = try ControlFolder()
    try served(folder) {
      let second = ControlServer(stateFolder: folder.path, answeringWith: { _ in .done("second") })
      #expect(throws: ControlError.alreadyRunning(stateFolder: folder.path)) { try second.start() }
      try #expect(ask(folder.path) == .done())
    }
  }

  @Test func `what is no socket is not removed`() throws {
    let folder = try ControlFolder()
    try File.writeAtomically(folder.socket, [1], mode: 0o600)
    let server = ControlServer(stateFolder: folder.path, answeringWith: { _ in .done() })
    #expect(throws: ControlError.notASocket(path: folder.socket)) { try server.start() }
    try #expect(File.readAll(folder.socket, limit: 10) == [1])
  }

  @Test func `the socket is the user's alone, and goes with the server`() throws {
    let folder = try ControlFolder()
    try served(folder) { #expect(folder.socketMode == 0o140600) }
    #expect(folder.socketMode == nil)
  }

  @Test func `a server can be stopped twice and started again`() throws {
    let folder = try ControlFolder()
    let server = ControlServer(stateFolder: folder.path, answeringWith: { _ in .done() })
    for _ in 0..<3 {
      try server.start()
      try #expect(ask(folder.path) == .done())
      server.stop()
      server.stop()
    }
  }

  @Test func `a state folder's path may be longer than a socket's address`() throws {
    let folder = try ControlFolder(padding: 150)
    try served(folder) { try #expect(ask(folder.path) == .done()) }
  }

  private func ask(_ stateFolder: String) throws -> ControlResponse {
    try ControlClient.call(stateFolder: stateFolder, request: ControlRequest(command: "status"))
  }

  private func served(_ folder: ControlFolder, test: () throws -> Void) throws {
    let server = ControlServer(stateFolder: folder.path, answeringWith: { _ in .done() })
    try server.start()
    defer { server.stop() }
    try test()
  }
}
