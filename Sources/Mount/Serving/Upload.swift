package import Core
package import Protocol

/// A run of leaves of an own file that somebody wants, and the way by which he gets it.
package struct Upload: Equatable, Sendable {
  package let run: ChunkRequest
  package let way: ChunkWay

  package init(_ run: ChunkRequest, by way: ChunkWay = .hub) {
    self.run = run
    self.way = way
  }

  var lane: UploadLanes.Lane { UploadLanes.Lane(content: run.key(0).content, way: way) }

  /// What of it is left behind the first `offset` leaves.
  func dropFirst(_ offset: UInt32) -> Upload {
    Upload(
      ChunkRequest(run.key(offset), count: run.count - offset, pastCache: run.pastCache), by: way)
  }
}
