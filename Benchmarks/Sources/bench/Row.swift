/// A part of the bench that stands by itself: it starts what it needs, and measures.
protocol Row: Sendable {
  /// For `--rows`.
  static var name: String { get }
  /// What it measures, in a line.
  static var title: String { get }
  /// Whether it is left out unless it is named: it takes long.
  static var isAskedFor: Bool { get }
  /// Measures on a stage that is swept afterwards.
  static func measure(on stage: Stage) throws -> Outcome
}

extension Row {
  static var isAskedFor: Bool { false }
}

/// What came out of a row.
struct Outcome {
  var figures: [Figure]
  /// What explains the figures: who used the processor, how many bytes went where.
  var notes: [String] = []
}

/// Every row, in the order of the table.
let allRows: [any Row.Type] = [
  SequentialRow.self, DirectRow.self, FourFilesRow.self, FirstByteRow.self, RandomRow.self,
  CopyOutRow.self,
  CopyInRow.self, CopyInBigRow.self, ListingRow.self, NearRow.self, FarRow.self,
  FarFirstByteRow.self, EightReadersRow.self, OwnFileRow.self, FloodRow.self, ScaleRow.self,
  CrowdRow.self,
]
