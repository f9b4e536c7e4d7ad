/// What `transfers` shows in one line: a file, or many small ones together, so that a copied folder
/// is no screenful.
package enum TransfersLine: Equatable, Sendable {
  case one(TransfersReport.Transfer)
  case many(SmallTransfers)
}

/// Small files of one owner that go the same way, added up.
package struct SmallTransfers: Equatable, Sendable {
  /// Bytes of the largest file that counts as small.
  package static let largest: UInt64 = 1 << 20
  /// So few are shown one by one.
  package static let shownSingly = 3

  package var direction: TransfersReport.Transfer.Direction
  /// That of all of them, where they have one; else they move.
  package var state: TransfersReport.Transfer.State
  /// The folder in which all of them lie, empty for the top of the share: hostile until escaped.
  package var folder: String
  package var count: Int
  package var owner: String
  package var ownerID: UInt32
  package var reader: String
  package var bytes: UInt64
  package var size: UInt64
  package var rate: UInt64
  /// That of the first.
  package var route: String

  fileprivate init(_ all: [TransfersReport.Transfer]) {
    let first = all[0]
    direction = first.direction
    let states = Set(all.map(\.state))
    state = states.count == 1 ? first.state : .moving
    count = all.count
    owner = first.owner
    ownerID = first.ownerID
    reader = first.reader
    bytes = all.reduce(0) { $0 &+ min($1.bytes, $1.size) }
    size = all.reduce(0) { $0 &+ $1.size }
    rate = all.reduce(0) { $0 &+ $1.rate }
    route = first.route
    var parts = Self.folder(of: first.path)
    for other in all.dropFirst() {
      let folder = Self.folder(of: other.path)
      parts = Array(zip(parts, folder).prefix { $0 == $1 }.map(\.0))
    }
    folder = parts.joined(separator: "/")
  }

  private static func folder(of path: String) -> [Substring] {
    Array(path.split(separator: "/").dropLast())
  }
}

extension TransfersReport {
  /// What there is to show: large files each, small ones together, in the order of the report.
  package var lines: [TransfersLine] {
    struct Kind: Hashable {
      let direction: Transfer.Direction
      let owner: UInt32
    }
    func kind(_ one: Transfer) -> Kind { Kind(direction: one.direction, owner: one.ownerID) }
    let small = Dictionary(
      grouping: transfers.filter { $0.size <= SmallTransfers.largest }, by: kind
    ).filter { $0.value.count > SmallTransfers.shownSingly }
    var told: Set<Kind> = []
    return transfers.compactMap { one in
      guard one.size <= SmallTransfers.largest, let all = small[kind(one)] else {
        return .one(one)
      }
      return told.insert(kind(one)).inserted ? .many(SmallTransfers(all)) : nil
    }
  }
}
