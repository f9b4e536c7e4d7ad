import Protocol

/// What the mount itself says of an entry, as extended attributes that can be read and not set.
/// They are answered by name and never listed: `cp -a` would copy them.
enum EntryProperty: String {
  /// The name of whose it is; of a directory that several have, of the first.
  case owner
  /// That member's number.
  case publicID = "public_id"
  /// Where its bytes are, and what stands between them and a reader.
  case state
  /// Of a file, the version that shows.
  case version

  static let prefix = Array("user.fsharefs.".utf8)

  /// nil: not one of these.
  init?(attribute name: [UInt8]) {
    guard name.starts(with: Self.prefix) else { return nil }
    self.init(rawValue: String(decoding: name.dropFirst(Self.prefix.count), as: UTF8.self))
  }
}
