package import Protocol

/// Names one READ that waits for its bytes.
package typealias ReadToken = UInt64

/// Names one open file.
package typealias StreamID = UInt64

/// Part of a leaf that answers part of a READ.
package struct LeafSlice: Equatable, Sendable {
  package let leaf: Leaf
  /// Offset in the leaf, and bytes from there.
  package let offset: Int
  package let count: Int
}

/// Why a READ fails.
package enum ReadFailure: Equatable, Sendable {
  case timedOut
  /// The owner left or no longer shares the file.
  case gone
  /// The file is no longer the version that was opened.
  case changed
  case denied
  /// The owner cannot read it, or what came could not be opened.
  case unreadable
  /// Too many reads wait for lost owners and pauses already.
  case tooManyHeld
  /// It waited for a pause to end, and the program that asked has closed the file.
  case abandoned
}

/// What the fetcher wants done.
package enum FetchAction: Equatable, Sendable {
  /// Look for these leaves on this machine's disk; each is answered by `recalled` or `notRecalled`.
  case recall([LeafKey])
  case request(ChunkRequest)
  /// The same, by a line to the owner.
  case requestDirectly(ChunkRequest, by: LineID)
  case reply(ReadToken, [LeafSlice])
  case fail(ReadToken, ReadFailure)
}
