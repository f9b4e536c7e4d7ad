import Protocol

/// What the kernel must be told because something changed without its asking.
enum Invalidation: Hashable, Sendable {
  /// A name of a directory means something else now, or nothing.
  case name(InodeNumber, Name)
  /// The node that a name of a directory meant is no longer there: whoever watches it hears of
  /// that.
  case gone(InodeNumber, Name, InodeNumber)
  /// A directory's listing changed.
  case listing(InodeNumber)
  /// Attributes changed.
  case attributes(InodeNumber)
  /// A file has grown: what was read from this offset on ended too early.
  case end(InodeNumber, UInt64)
  /// What was read of a file may not be shown again.
  case content(InodeNumber)
}
