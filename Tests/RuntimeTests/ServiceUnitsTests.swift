import Runtime
import System
import Testing

/// The units of systemd and the manual say of each exit code what the programs say.
struct ServiceUnitsTests {
  private static let root = File.folder(of: File.folder(of: File.folder(of: #filePath)))

  @Test(arguments: ["fshare-hub.service", "fsharefs.service", "fsharefs@.service"])
  func `a unit starts again by itself only what that may mend`(unit: String) throws {
    let lines = try lines(of: "systemd/\(unit)")
    #expect(lines.contains("Restart=on-failure"))
    let key = "RestartPreventExitStatus="
    let named = try #require(lines.first { $0.hasPrefix(key) }).dropFirst(key.count)
      .split(separator: " ").compactMap { Int32($0) }
    let mended = ExitCode.allCases.filter { !$0.restartMayMend && $0 != .success }
    #expect(named == mended.map(\.rawValue).sorted())
  }

  @Test(arguments: ["fshare-hub.service", "fsharefs.service", "fsharefs@.service"])
  func `a unit is told of progress, and reads its settings again`(unit: String) throws {
    let lines = try lines(of: "systemd/\(unit)")
    for line in ["Type=notify", "WatchdogSec=2min", "ExecReload=kill -HUP $MAINPID"] {
      #expect(lines.contains(line))
    }
  }

  /// systemd.exec(5): each of these gives a unit a mount namespace of its own, or implies one.
  @Test(arguments: ["fsharefs.service", "fsharefs@.service"])
  func `nothing hides a mount from others`(unit: String) throws {
    let hiding = [
      "PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateNetwork", "PrivateUsers",
      "PrivateIPC", "ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset",
      "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
      "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
      "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "RootDirectory", "RootImage",
      "MountFlags", "MountAPIVFS", "DynamicUser", "RestrictSUIDSGID",
    ]
    for line in try lines(of: "systemd/\(unit)") where !line.hasPrefix("#") {
      let key = String(line.prefix { $0 != "=" })
      #expect(!hiding.contains(key), "\(line)")
    }
  }

  @Test func `the manual has every exit code, and whether it is started again`() throws {
    let rows = try lines(of: "docs/operations.md").compactMap { line -> (Int32, String)? in
      let cells = line.split(separator: "|").map { $0.trimmed }
      guard cells.count == 3, let code = Int32(cells[0]) else { return nil }
      return (code, cells[2])
    }
    #expect(rows.map(\.0) == ExitCode.allCases.map(\.rawValue).sorted())
    for (code, again) in rows {
      let mends = ExitCode(rawValue: code)?.restartMayMend ?? false
      #expect(again.hasPrefix("yes") == mends && again.hasPrefix("no") == !mends, "\(code)")
    }
  }

  private func lines(of file: String) throws -> [String] {
    let bytes = try File.readAll("\(Self.root)/\(file)", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
