import Control
import Glibc
import System
import Testing

extension Commands {
  /// docs/control.md says every field of `--json`; what the programs write is that, no more.
  @Suite struct ControlJSON {
    /// One row of the page.
    private struct Field {
      let type: String
      let isAlwaysThere: Bool
    }

    /// The fields of each section, by its title.
    private static func documented() throws -> [String: [String: Field]] {
      let home = File.folder(of: File.folder(of: File.folder(of: #filePath)))
      let page = String(
        decoding: try File.readAll(home + "/docs/control.md", limit: 1 << 20), as: UTF8.self)
      var sections: [String: [String: Field]] = [:]
      var title = ""
      for line in page.split(separator: "\n") {
        if line.hasPrefix("### ") {
          title = String(line.dropFirst(4))
        } else if line.hasPrefix("| `"), !title.isEmpty {
          let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
            $0.trimming(" ")
          }
          sections[title, default: [:]][cells[1].trimming("`")] = Field(
            type: cells[2], isAlwaysThere: cells[3].isEmpty)
        }
      }
      return sections
    }

    /// Every path of a value with its type.
    private static func fields(_ value: JSONValue, _ path: String = "") -> [(String, String)] {
      let below: [(String, String)]
      switch value {
      case .null: return [(path, "null")]
      case .bool: return [(path, "boolean")]
      case .integer, .unsigned: return [(path, "integer")]
      case .double: return [(path, "number")]
      case .string: return [(path, "string")]
      case .array(let items):
        below = items.flatMap { fields($0, path + "[]") }
        return [(path, "array")] + below
      case .object(let parts):
        below = parts.flatMap { fields($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
        return (path.isEmpty || path.hasSuffix("[]") ? [] : [(path, "object")]) + below
      }
    }

    private func compare(_ title: String, _ command: Command) throws {
      let page = try #require(try Self.documented()[title], "docs/control.md has no '\(title)'")
      try #require(!command.output.isEmpty, "\(title): \(command.errors)")
      let seen = Self.fields(try JSONValue.parsed(command.output))
      for (path, type) in seen {
        let field = page[path]
        #expect(field != nil, "\(title): \(path) is not documented")
        #expect(field?.type ?? type == type, "\(title): \(path) is \(type)")
      }
      let names = Set(seen.map(\.0))
      for (path, field) in page where field.isAlwaysThere {
        #expect(names.contains(path), "\(title): \(path) is documented, and is not there")
      }
    }

    @Test func everyFieldIsDocumentedWithItsType() throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        func json(_ daemon: Daemon, _ words: String...) throws -> Command {
          try fixture.run([Programs.control] + words + ["--json", "--state", daemon.state])
        }
        try compare(
          "`status` of a hub alone",
          try fixture.run(Programs.control, "status", "--json", "--state", hub.state))
        let master = try fixture.master(hub)
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master,
          ["--cache", fixture.newPath("cache"), "-o", "timeout=1"])
        _ = try fixture.waitingMember("late", of: hub.address)
        let lies = try fixture.newFolder("lies")
        try Files.write(master.path("film"), Samples.bytes(3_000_000))
        try Files.makeFolder(master.path("folder"))
        #expect(mkfifo(guest.own + "/pipe", 0o600) == 0)
        try fixture.waitFor(guest.path("folder"))
        let orders = "`approve`, `disapprove`, `name`, `pause`, `resume`, `share`, `unshare`"
        try compare(orders, try json(guest, "share", lies, "--as", "album"))
        try compare(orders, try json(guest, "pause", "folder"))
        try compare(orders, try json(guest, "name", "visitor"))
        let file = OwnedDescriptor(try Files.open(guest.path("film"), O_RDONLY))
        var piece = [UInt8](repeating: 0, count: 4_096)
        #expect(read(file.raw, &piece, piece.count) == piece.count)

        for daemon in [master, guest] {
          try compare("`status`", try json(daemon, "status"))
          try compare("`members`", try json(daemon, "members"))
          try compare("`transfers`", try json(daemon, "transfers"))
          try compare("`why`", try json(daemon, "why", "film"))
          try compare("`why`", try json(daemon, "why", "folder"))
          try compare("`invite`", try json(daemon, "invite", "--address", "hub.example"))
          try compare("`doctor`", try json(daemon, "doctor"))
          try compare("`check`, of a state folder", try json(daemon, "check"))
        }
        try compare("`why`", try json(guest, "why", "pipe"))
        try compare("`shares`", try json(guest, "shares"))
        let check = "`check PATH`"
        try compare(check, try fixture.run(Programs.control, "check", guest.mount, "--json"))
        try compare(
          check, try fixture.run(Programs.control, "check", guest.path("absent"), "--json"))
        withExtendedLifetime(file) {}
        try compare("`leave`", try json(guest, "leave", "--now"))
      }
    }
  }
}

extension JSONValue {
  /// The value that some JSON text is.
  static func parsed(_ text: [UInt8]) throws -> JSONValue {
    // The control socket's own reader: a length, then JSON.
    var frame = (0..<4).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    frame += text
    return try ControlFrame.decode(JSONValue.self, from: frame)
  }
}

extension Substring {
  fileprivate func trimming(_ mark: Character) -> String { String(self).trimming(mark) }
}

extension String {
  fileprivate func trimming(_ mark: Character) -> String {
    var rest = self[...]
    while rest.first == mark { rest.removeFirst() }
    while rest.last == mark { rest.removeLast() }
    return String(rest)
  }
}
