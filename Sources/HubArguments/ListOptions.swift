package import ArgumentParser
import Core
package import Runtime

/// How much of the list one member may have: settings of the master.
package struct ListOptions: ParsableArguments {
  @Option(
    help: .limit("Entries that one member may share, for the master (default 1000000).", "number"))
  package var memberEntries: Int?

  @Option(
    help: .limit("MiB of paths that one member may share, for the master (default 256).", "mib"))
  package var memberPaths: Int?

  @Option(help: .limit("Parts that a path may have, for the master (default 256).", "number"))
  package var maxDepth: Int?

  package init() {}

  private var values: [(name: String, value: Int?, range: ClosedRange<Int>)] {
    [
      ("member-entries", memberEntries, 0...100_000_000),
      ("member-paths", memberPaths, 0...1_000_000),
      ("max-depth", maxDepth, 1...2_048),
    ]
  }

  /// Throws: an ending with code 64 for what makes no sense.
  package func apply(to configuration: inout MountConfiguration) throws(Ending) {
    for (name, value, range) in values {
      guard let value else { continue }
      if range.contains(value) { continue }
      throw Ending(
        .usage,
        "--\(name) \(value): a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    if let memberEntries { configuration.listLimits.memberEntries = memberEntries }
    if let memberPaths { configuration.listLimits.memberPathBytes = memberPaths << 20 }
    if let maxDepth { configuration.listLimits.depth = maxDepth }
  }
}
