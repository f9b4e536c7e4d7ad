import Runtime
import System
import Testing

/// The package, the manuals and the change log belong to this version of the programs.
struct ManualsTests {
  private static let root = File.folder(of: File.folder(of: File.folder(of: #filePath)))

  @Test func `change log and package are of the version that the programs say`() throws {
    let version = ProgramVersion.text
    let changes = try text(of: "CHANGELOG.md").split(separator: "\n")
    let newest = try #require(changes.first { $0.hasPrefix("## ") })
    #expect(newest.split(separator: " ")[1] == version)
    #expect(try text(of: "debian/changelog").hasPrefix("fsharefs (\(version)) "))
  }

  private func text(of file: String) throws -> String {
    String(decoding: try File.readAll("\(Self.root)/\(file)", limit: 1 << 20), as: UTF8.self)
  }
}
