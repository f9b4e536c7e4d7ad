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

  @Test func `the manual of mount(8) has every option that changes something`() throws {
    let manual = try text(of: "share/man/mount.fsharefs.8")
    let words = Set(manual.split { " \n,".contains($0) }.map(String.init))
    for option in MountOption.all {
      switch option.meaning {
      case .setting, .kernel, .preparation:
        let isThere = words.contains(option.name) || words.contains(option.name + "=")
        #expect(isThere, "\(option.shown)")
      case .commandLine, .cancels, .fixed, .fstab: break
      }
    }
  }

  private func text(of file: String) throws -> String {
    String(decoding: try File.readAll("\(Self.root)/\(file)", limit: 1 << 20), as: UTF8.self)
  }
}
