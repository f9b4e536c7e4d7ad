/// The bytes of all names, one behind the other: a name of a list costs its length, not an
/// allocation of its own.
package struct NamePool: Sendable {
  /// Where a name lies. Names begin at multiples of 4, so that 32 bits reach 16 GiB.
  package typealias Offset = UInt32

  /// No name lies across two chunks; what is left at the end of one stays unused.
  private static let chunkLength = 65_536
  private static let alignment = 4
  private static let positionBits: UInt32 = 14

  private var chunks: ContiguousArray<[UInt8]> = []
  /// Bytes of names that are there, and of all that were put here.
  private var live = 0
  private var used = 0

  package init() {}

  /// Whether so much of it is of names that are gone that it is worth making it anew: what that
  /// costs is then less than what their coming cost.
  package var isMostlyGarbage: Bool { used > 2 * live + Self.chunkLength }

  package mutating func insert(_ name: ArraySlice<UInt8>) -> Offset {
    let length = (name.count + Self.alignment - 1) & ~(Self.alignment - 1)
    if chunks.last.map({ $0.count + length > Self.chunkLength }) ?? true { chunks.append([]) }
    let chunk = chunks.count - 1
    let position = chunks[chunk].count
    chunks[chunk].append(contentsOf: name)
    for _ in name.count..<length { chunks[chunk].append(0) }
    live += length
    used += length
    return UInt32(chunk) << Self.positionBits | UInt32(position / Self.alignment)
  }

  /// The name is needed no longer.
  package mutating func remove(length: Int) {
    live -= (length + Self.alignment - 1) & ~(Self.alignment - 1)
    if live == 0 { self = NamePool() }
  }

  package subscript(offset: Offset, length: Int) -> ArraySlice<UInt8> {
    let position = Int(offset & (1 << Self.positionBits - 1)) * Self.alignment
    return chunks[Int(offset >> Self.positionBits)][position..<(position + length)]
  }
}
