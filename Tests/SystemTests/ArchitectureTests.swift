import Glibc
import System
import Testing

/// The house as it is described: the map names files that are there, and arrows between the rooms
/// of the mount point downwards.
@Suite struct ArchitectureTests {
  private static let home = File.folder(of: File.folder(of: File.folder(of: #filePath)))

  /// Paths of all Swift files, from the top of the repository.
  private static let sources: [String] =
    ["Sources", "Tests", "Fuzz"].flatMap { files(below: $0) }.filter { $0.hasSuffix(".swift") }

  private static func files(below folder: String) -> [String] {
    guard let directory = opendir("\(home)/\(folder)") else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let item = readdir(directory) {
      let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      let path = "\(folder)/\(name)"
      found += item.pointee.d_type == UInt8(DT_DIR) ? files(below: path) : [path]
    }
    return found
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try File.readAll("\(home)/\(path)", limit: 1 << 24), as: UTF8.self)
  }

  @Test func `every file that the map names is there`() throws {
    let map = try Self.text("docs/architecture.md")
    let named = map.matches(of: /`([\w\/-]+\.swift)`/).map { String($0.1) }
    #expect(named.count > 100)
    for path in Set(named) where path != "Package.swift" {
      #expect(
        Self.sources.contains { $0.hasSuffix("/" + path) }, "\(path) is named, and is not there")
    }
  }

  /// Lower rooms first: each may use those before it, but for what it must not know.
  private static let rooms: [(name: String, unknown: Set<String>)] = [
    ("Kernel", []),
    ("Namespace", []),
    ("OwnFolder", []),
    ("OwnFiles", []),
    ("Serving", []),
    ("FolderSync", []),
    ("Reading", ["OwnFolder", "OwnFiles", "Serving", "FolderSync"]),
    ("Keeping", ["OwnFolder", "OwnFiles", "Serving", "FolderSync"]),
    ("Incoming", ["OwnFiles", "Serving", "FolderSync"]),
    ("Volume", []),
  ]

  @Test func `rooms of the mount know only those below them`() throws {
    let mount = Self.sources.filter { $0.hasPrefix("Sources/Mount/") }
    #expect(mount.count > 100)
    func room(_ path: String) -> String { String(path.split(separator: "/")[2]) }
    var texts: [String: String] = [:]
    var home: [String: Set<String>] = [:]
    for path in mount {
      let text = try Self.text(path).replacing(/\/\/[^\n]*/, with: "")
      texts[path] = text
      let declared =
        #/
        (?m)^(?:package\s|private\s|fileprivate\s)?(?:final\s)?
        (?:struct|class|enum|protocol|typealias)\s(\w+)
        /#
      for match in text.matches(of: declared) {
        home[String(match.1), default: []].insert(room(path))
      }
    }
    for (index, one) in Self.rooms.enumerated() {
      let above = Set(Self.rooms[(index + 1)...].map(\.name)).union(one.unknown)
      for path in mount where room(path) == one.name {
        let words = Set(texts[path]!.matches(of: /\b[A-Z]\w+/).map { String($0.0) })
        for word in words {
          guard let lies = home[word], lies.isSubset(of: above) else { continue }
          Issue.record("\(path) names \(word), which lies above it in \(lies.sorted())")
        }
      }
    }
  }

  @Test func `no room takes another one's locks`() throws {
    let taken = /(\w+)\.\w+\.withLock/
    let rooms: Set<Substring> = [
      "namespace", "reading", "files", "serving", "folderSync", "incoming", "rescans", "disk",
    ]
    for path in Self.sources where path.hasPrefix("Sources/Mount/") {
      for match in try Self.text(path).matches(of: taken) where rooms.contains(match.1) {
        Issue.record("\(path): \(match.0)")
      }
    }
  }
}
