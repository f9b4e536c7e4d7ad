import Core
import Glibc
import Protocol
import Runtime
import System
import Testing

/// When a key of the group has been in use for long.
struct KeyVaultTests {
  private let folder = "/tmp/fsharefs-vault-\(SecureRandom.uint64())"
  private static let week: Int64 = 7 * 86_400

  @Test func `a key is old a week after it was made, over restarts and whatever the clock did`()
    throws
  {
    try File.makeDirectories(folder, mode: 0o700)
    defer {
      unlink((folder + "/vault").cString)
      rmdir(folder.cString)
    }
    let path = folder + "/vault"
    var vault = try KeyVault(path: path, now: 1_000)
    #expect(!vault.isOld(now: 1_000 + Self.week - 1) && vault.isOld(now: 1_000 + Self.week))
    vault = try KeyVault(path: path, now: 1_000 + Self.week)
    #expect(vault.isOld(now: 1_000 + Self.week))
    _ = try vault.key(2, now: 1_000 + Self.week)
    #expect(!vault.isOld(now: 1_000 + Self.week))
    // Handing it out once more makes it no newer.
    _ = try vault.key(2, now: 1_000 + 2 * Self.week)
    #expect(vault.isOld(now: 1_000 + 2 * Self.week))
    // A clock that was years ahead when it was made must not make it last for years.
    _ = try vault.key(3, now: 1_000_000_000)
    #expect(vault.isOld(now: 5_000))
    vault = try KeyVault(path: path, now: 5_000)
    #expect(!vault.isOld(now: 5_000) && vault.isOld(now: 5_000 + Self.week))
    #expect(vault.summary.generation == 3)
  }
}

extension String {
  fileprivate var cString: [CChar] { Array(utf8CString) }
}
