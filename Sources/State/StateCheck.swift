import Glibc
import Protocol
import Sealing
import System

/// What `fsharectl check` finds: file by file what is well, and what to type where it is not. Reads
/// as the programs do, by the same code; changes nothing, and takes no lock: the folder may be in
/// use.
package struct StateCheck: Codable, Equatable, Sendable {
  /// One file.
  package struct Finding: Codable, Equatable, Sendable {
    /// Below the folder.
    package var name: String
    package var isWell: Bool
    /// What there is in it; where it is not well, what is wrong, and what to type.
    package var says: String
  }

  /// The file in which a member keeps a copy of the list.
  package static let listName = "list"

  package var folder: String
  package var files: [Finding] = []

  /// Whether a start would find nothing to complain of.
  package var isWell: Bool { files.allSatisfy(\.isWell) }

  /// One line for each file.
  package var lines: [String] {
    let width = files.map(\.name.count).max() ?? 0
    return files.map { file in
      let name = file.name + String(repeating: " ", count: width - file.name.count)
      return "\(name)  \(file.isWell ? "well" : "NOT WELL")  \(file.says)"
    }
  }

  /// Looks at the state folder of a member, a master or a hub. Throws where there is none.
  package init(_ folder: String) throws(StateFault) {
    self.folder = folder
    guard access(folder.cPath, F_OK) == 0 else {
      throw StateFault(SystemError("open the state folder \(folder)"))
    }
    look(".", "the folder is open to its owner alone") { () throws(StateFault) in
      try Privacy.check(folder: folder)
      return nil
    }
    lookAtFiles("")
    // A host's hub has a folder of its own in it.
    if access((folder + "/hub").cPath, F_OK) == 0 { lookAtFiles("hub/") }
    // So has a window.
    if access((folder + "/window").cPath, F_OK) == 0 { lookAtFiles("window/") }
    if files.count == 1 {
      throw StateFault(
        .failed(ENOENT), "there is no file of fsharefs in \(folder): give its --state")
    }
  }

  private mutating func lookAtFiles(_ below: String) {
    for kind in StateKind.allCases {
      let path = folder + "/" + below + kind.rawValue
      var isThere = stat()
      guard lstat(path.cPath, &isThere) == 0 else { continue }
      look(below + kind.rawValue, "") { () throws(StateFault) in try Self.content(kind, path) }
      for number in 1...StateFile.asideLimit
      where access("\(path).damaged-\(number)".cPath, F_OK) == 0 {
        let name = "\(below)\(kind.rawValue).damaged-\(number)"
        files.append(Finding(name: name, isWell: true, says: "set aside by an earlier start"))
      }
    }
    if access((folder + "/" + below + Self.listName).cPath, F_OK) == 0 {
      let says = "a copy of the list, taken anew where it does not open"
      files.append(Finding(name: below + Self.listName, isWell: true, says: says))
    }
    let hub = folder + "/" + below
    if access((hub + TLSFiles.keyName).cPath, F_OK) == 0 {
      look(below + TLSFiles.keyName, "with its certificate") { () throws(StateFault) in
        _ = try TLSFiles.check(hub)
        return nil
      }
    }
  }

  private mutating func look(
    _ name: String, _ says: String, _ body: () throws(StateFault) -> String?
  ) {
    do throws(StateFault) {
      files.append(Finding(name: name, isWell: true, says: try body() ?? says))
    } catch { files.append(Finding(name: name, isWell: false, says: error.description)) }
  }

  /// What a file holds, in a few words. Throws what a start would complain of.
  private static func content(_ kind: StateKind, _ path: String) throws(StateFault) -> String? {
    switch kind {
    case .key: return try SmallFile.key(path).map { "the private id of \(Fingerprint(of: $0.key))" }
    case .name: return try SmallFile.name(path)?.text
    case .incarnation: return try SmallFile.incarnation(path).map { "\($0)" }
    case .cacheKey:
      return try SmallFile.secret(kind, CacheSeal.secretLength, path).map { _ in
        "for the disk cache"
      }
    case .listKey:
      return try SmallFile.secret(kind, ListSeal.secretLength, path).map { _ in
        "for the copy of the list"
      }
    case .numberKey:
      return try SmallFile.bytes(kind, path).map { _ in "for the numbers of others' files" }
    case .notices: return try SmallFile.text(kind, path).map { _ in "what is said once" }
    case .group: return try GroupFile.read(path).map { "the hub is \($0.hub)" }
    case .restored: return try SmallFile.text(kind, path).map { _ in "this master was set back" }
    case .options:
      return try SmallFile.bytes(kind, path).map { bytes in
        "\(bytes.count { $0 == UInt8(ascii: "\n") }) of the last start"
      }
    case .shares: return try SharesFile.read(path).map { "\($0.rows.count) shared in place" }
    case .keeps: return try KeepsFile.read(path).map { "\($0.paths.count) kept of others" }
    case .vault:
      return try VaultFile.read(path).map {
        "\($0.keys.count) keys, \($0.decisions.count) decisions"
      }
    case .registry:
      let records = try RegistryRecord.readAll(path)
      return records.map { "\($0.count) records" }
    case .claimCode:
      try Privacy.check(file: path)
      return try ClaimCode.read(path).map { _ in "of a hub without a master" }
    case .browsers: return try SmallFile.text(kind, path).map { _ in "which browsers are let in" }
    case .guests: return try SmallFile.text(kind, path).map { _ in "the links of guests" }
    case .index, .targets: return try log(kind, path) { _ in nil }
    case .journal:
      var reader = JournalReader()
      return try log(.journal, path) { record in
        do throws(DecodingFault) {
          _ = try reader.next(record)
          return nil
        } catch { return "\(error)" }
      }
    }
  }

  /// `fault`: what is wrong with a record, nil where nothing is.
  private static func log(
    _ kind: StateKind, _ path: String, _ fault: ([UInt8]) -> String?
  ) throws(StateFault) -> String? {
    guard let content = try RecordLog.load(kind, path) else { return nil }
    for (index, record) in content.records.enumerated() {
      if let fault = fault(record) { throw .damaged(kind, path, "record \(index): \(fault)") }
    }
    switch content.end {
    case .whole: return "\(content.records.count) records"
    case .torn(let bytes):
      return
        "\(content.records.count) records; behind them \(bytes) bytes of one that is being written, or that a crash cut off"
    case .damaged(let position): throw .damaged(kind, path, "at byte \(position)")
    }
  }
}
