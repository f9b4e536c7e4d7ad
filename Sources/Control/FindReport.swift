/// The answer to `find`: paths of the share whose last part has what was asked for.
package struct FindReport: Codable, Equatable, Sendable {
  /// Each as `PathText` says it.
  package var paths: [String]
  /// Whether there are more.
  package var isMore: Bool

  package init(paths: [String], isMore: Bool) {
    self.paths = paths
    self.isMore = isMore
  }
}
