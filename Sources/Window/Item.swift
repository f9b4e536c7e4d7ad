import Control
import Glibc
import System

/// One row of a listing.
struct Item: Encodable, Sendable {
  /// As it stands in an address.
  var name: String
  /// For people.
  var text: String
  var kind: String
  var size: Int64
  var mtime: Int64
  var owner: String?
  var ownerID: UInt32?
  var isOwn = false
  var state: String?
  var mayRemove = false
  /// How it can be shown: `image`, `video`, `audio`, `text`, or nothing.
  var type = ""
  /// Where it was found, as it stands in an address, and for people.
  var path: String?
  var `where`: String?

  /// What lies at a name of an open folder. `ownID`: this member's number, for whom more is said;
  /// nil: for a guest.
  init(
    _ name: [UInt8], in folder: OwnedDescriptor, ownID: UInt32?, isMember: Bool
  ) throws(SystemError) {
    let found = try Stat(at: folder.raw, name: name)
    self.name = PercentEncoding.text(name)
    text = TerminalText.escaped(name)
    kind =
      found.isDirectory ? "folder" : found.isRegular ? "file" : found.isSymlink ? "link" : "other"
    size = found.size
    mtime = Int64(found.mtime.tv_sec)
    if found.isRegular { type = MediaType.shown(name)?.kind.rawValue ?? "" }
    // Of links the kernel asks nobody.
    guard isMember, !found.isSymlink else { return }
    owner = ShareFolder.property("owner", of: name, in: folder)
    ownerID = ShareFolder.property("public_id", of: name, in: folder).flatMap { UInt32($0) }
    state = ShareFolder.property("state", of: name, in: folder)
    isOwn = ownerID != nil && ownerID == ownID || state?.hasPrefix("here, not shared") == true
    mayRemove = isOwn
  }
}

extension Item {
  /// What was there a moment ago.
  init(gone name: [UInt8]) {
    self.name = PercentEncoding.text(name)
    text = TerminalText.escaped(name)
    (kind, size, mtime, state) = ("other", 0, 0, "gone")
  }
}
