package import Protocol

/// A path as a user gives it to `fsharectl`: in the share, or under the mountpoint.
package enum PathArgument: Equatable {
  /// The whole share.
  case root
  case path(SharePath)
  case invalid(String)

  /// `typed`: as it was typed. `absolute`: what that is in the user's current folder, links of folders
  /// resolved. What does not lie under the mountpoint is a path in the share.
  package init(typed: String, absolute: String?, mountpoint: String) {
    if let absolute, let inside = Self.parts(absolute).dropping(Self.parts(mountpoint)) {
      self.init(inside, typed)
    } else if let inside = Self.parts(typed).dropping(Self.parts(mountpoint)), typed.first == "/" {
      self.init(inside, typed)
    } else {
      self.init(Self.parts(typed), typed)
    }
  }

  private init(_ parts: [Substring], _ typed: String) {
    if parts.isEmpty {
      self = .root
    } else if let path = try? SharePath(Array(parts.joined(separator: "/").utf8)) {
      self = .path(path)
    } else {
      self = .invalid("'\(typed)' is no path in the share")
    }
  }

  /// The parts of a path, empty ones and `.` left out.
  private static func parts(_ path: String) -> [Substring] {
    path.split(separator: "/").filter { $0 != "." }
  }
}

extension [Substring] {
  /// What follows a beginning; nil where it does not begin so.
  fileprivate func dropping(_ beginning: [Substring]) -> [Substring]? {
    guard count >= beginning.count, Array(prefix(beginning.count)) == beginning else { return nil }
    return Array(dropFirst(beginning.count))
  }
}
