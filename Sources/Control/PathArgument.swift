package import Protocol
import System

/// A path as a user gives it to `fsharectl`: in the share, or under the mountpoint. Compared by its
/// bytes.
package enum PathArgument: Equatable {
  /// The whole share.
  case root
  case path(SharePath)
  case invalid(String)

  /// `typed`: as it was typed. `absolute`: what that is in the user's current folder, links of
  /// folders resolved. What does not lie under the mountpoint is a path in the share. All as
  /// `PathText` says them.
  package init(typed: String, absolute: String?, mountpoint: String) {
    let (parts, mount) = (Self.parts(typed), Self.parts(mountpoint))
    if let absolute, let inside = Self.parts(absolute).dropping(mount) {
      self.init(inside, typed)
    } else if let inside = parts.dropping(mount), typed.utf8.first == UInt8(ascii: "/") {
      self.init(inside, typed)
    } else {
      self.init(parts, typed)
    }
  }

  private init(_ parts: [ArraySlice<UInt8>], _ typed: String) {
    if parts.isEmpty {
      self = .root
    } else if let path = try? SharePath(Array(parts.joined(separator: [UInt8(ascii: "/")]))) {
      self = .path(path)
    } else {
      self = .invalid("'\(typed)' is no path in the share")
    }
  }

  /// The parts of a path, empty ones and `.` left out.
  private static func parts(_ path: String) -> [ArraySlice<UInt8>] {
    path.pathBytes.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
  }
}

extension [ArraySlice<UInt8>] {
  /// What follows a beginning; nil where it does not begin so.
  fileprivate func dropping(_ beginning: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>]? {
    guard count >= beginning.count, Array(prefix(beginning.count)) == beginning else { return nil }
    return Array(dropFirst(beginning.count))
  }
}
