import Core
import Glibc
import Protocol
import System

/// What a file manager or a script learns of an entry without asking `fsharectl`.
extension Volume {
  /// GETXATTR of a name that begins with `EntryProperty.prefix`: from memory. ENODATA for what the
  /// entry has not.
  func property(_ request: Request, _ number: InodeNumber, name: [UInt8], size: Int) {
    guard let property = EntryProperty(attribute: name), let text = text(of: property, number)
    else { return request.reply(error: ENODATA) }
    let value = Array(text.utf8)
    if size == 0 { return request.reply(extendedLength: value.count) }
    request.reply(extended: value, size: size)
  }

  private func text(of property: EntryProperty, _ number: InodeNumber) -> String? {
    let path = namespace.read { tree -> SharePath? in tree[number]?.path }
    guard let path, let facts = facts(of: path) else { return nil }
    let owner = facts.own == nil ? facts.owner : files.ownID
    switch property {
    case .owner:
      return facts.own != nil ? group.deviceName.text : owner.map { group.name(of: $0) }
    case .publicID: return owner.map { "\($0.value)" }
    case .version: return facts.kind == .file ? facts.entry.map { "\($0.version)" } : nil
    case .state:
      if let own = facts.own { return state(of: own, facts) }
      return owner.map { state(of: $0, facts) }
    }
  }

  private func state(of own: PathDiagnostics.Own, _ facts: PathDiagnostics) -> String {
    if facts.isOccupied || own.isIgnored { return "here, not shared" }
    let isKnown = own.isAnnounced && !own.isDirty && group.isAcked(own.id)
    return isKnown ? "here" : "here, not shared yet"
  }

  private func state(of owner: PublicID, _ facts: PathDiagnostics) -> String {
    var words: [String] = []
    if facts.kind == .file, let entry = facts.entry {
      let leaves = entry.leafCount
      let here = reading.leavesHere(
        of: Content(owner: owner, entry: entry.id, version: entry.version, size: entry.size),
        inMemory: facts.fetching?.cached ?? 0)
      // All of it only where none is missing: of a long file a few are less than a percent.
      let percent = leaves == 0 ? 100 : min(here, leaves) * 100 / leaves
      words.append(percent == 100 ? "here" : percent > 0 ? "cached \(percent)%" : "not here")
    }
    switch group.presence(of: owner) {
    case .online: if facts.kind != .file { words.append("online") }
    case .away: words.append(words.isEmpty ? "away" : "owner away")
    case .gone: words.append(words.isEmpty ? "gone" : "owner gone")
    }
    if facts.isPaused { words.append("paused") }
    return words.joined(separator: ", ")
  }
}
