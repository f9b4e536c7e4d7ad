import Core
import Glibc
import Logging
import Protocol
import Runtime
import System
import Testing
import Transport

/// What a hub looks at before it serves.
struct HubStartTests {
  private let place: TemporaryFolder
  private var path: String { place.path + "/state" }

  init() throws {
    place = try TemporaryFolder()
    try File.makeDirectories(path, mode: 0o700)
  }

  private func make() throws -> HubRuntime {
    try HubRuntime(
      listen: ListenAddress(host: "127.0.0.1", port: 0), stateFolder: path,
      settings: HubRuntime.Settings(),
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test(arguments: ["", "/claim-code", "/tls-key.pem"])
  func `a hub refuses secrets that others may get at, with what to do`(name: String) throws {
    try make().stop()
    let mode = try Stat(path: path + name).permissions
    #expect(mode & 0o077 == 0)
    _ = chmod(path + name, 0o755)
    let ending = #expect(throws: Ending.self) { try make() }
    #expect(ending?.code == .folder)
    #expect(ending?.text.hasSuffix("\(path)\(name)") == true)
    #expect(ending?.text.contains("chmod") == true)
    _ = chmod(path + name, mode_t(mode))
    try make().stop()
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root can give files away"),
    arguments: ["", "/claim-code", "/tls-key.pem"])
  func `a hub refuses secrets of somebody else`(name: String) throws {
    try make().stop()
    _ = chown(path + name, 12_345, 0)
    let ending = #expect(throws: Ending.self) { try make() }
    #expect(ending?.code == .folder && ending?.text.contains("12345") == true)
    _ = chown(path + name, 0, 0)
    try make().stop()
  }

  @Test(
    arguments: [
      (65_536, 4_096, 1_000, false), (1_024, 768, 384, true), (2_400, 2_144, 1_000, true),
      (64, 8, 4, true),
    ])
  func `a hub takes no more connections than the system lets it have`(
    descriptors: Int, connections: Int, waiting: Int, isLowered: Bool
  ) {
    var settings = HubRuntime.Settings()
    #expect(settings.fit(descriptors: descriptors) == isLowered)
    #expect(settings.transport.connections == connections)
    #expect(settings.hub.waitingLimit == waiting)
  }
}
