/// Whether somebody who lists directories looks at what is in them too, as `ls -l`, `du` and file
/// managers do, and not only at names and kinds, as `find` and completion do.
///
/// The kernel asks for the attributes of everything that it begins to list. To be told them costs
/// it an inode for each, two thirds of the time of a `find`; not to be told costs a LOOKUP for each
/// that is looked at. So files' attributes come with a listing while files are being looked up: who
/// does it pays for the beginning of a directory.
package struct AttributeInterest: Sendable {
  private static let memory: Duration = .seconds(2)
  /// Looks that follow one another closely before it is an interest: one file here and there is
  /// none.
  private static let threshold = 8

  private var lastLook: Instant = .zero
  private var looks = 0

  package init() {}

  /// A program looked at a file by its name.
  package mutating func looked(now: Instant) {
    looks = now - lastLook < Self.memory ? looks + 1 : 1
    lastLook = now
  }

  /// Whether somebody is likely to look at the next one too.
  package func isThere(now: Instant) -> Bool {
    looks >= Self.threshold && now - lastLook < Self.memory
  }
}
