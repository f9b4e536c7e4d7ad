/// Marks the frames of one bulk stream, so that whoever sits on the wire can neither change, repeat
/// nor drop one unseen: not even a member, who could seal another leaf.
package protocol FrameTags: Sendable {
  /// The mark of a frame, its length bytes among it, as the `number`th of its stream, from 0. Any
  /// thread. Complexity: O(bytes).
  func tag(of frame: [UInt8], number: UInt64) -> [UInt8]
}

/// What a stream is opened with.
package struct BulkGrant: Sendable {
  /// Of its frames; nil where they are not marked.
  package let tags: (any FrameTags)?
  package init(tags: (any FrameTags)? = nil) { self.tags = tags }
}

/// Bytes of a mark, which stands behind its frame and does not count in its length.
package enum FrameTag {
  package static let length = 16
}

/// The marks of one stream in their order.
struct TagSequence {
  private let tags: any FrameTags
  private var number: UInt64 = 0

  init(_ tags: any FrameTags) { self.tags = tags }

  /// The mark of the next frame.
  mutating func next(_ frame: [UInt8]) -> [UInt8] {
    defer { number += 1 }
    return tags.tag(of: frame, number: number)
  }
}
